# SPDX-License-Identifier: Apache-2.0
"""From a recording to a served page, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags.errors import BagError
from stn_perception.bags.interruption import interruptible
from stn_perception.bags.labelling.frames import CameraFrames
from stn_perception.bags.labelling.server import LabelServer, Shown
from stn_perception.bags.labelling.session import LabellingSession
from stn_perception.bags.opening import camera_topics, opened
from stn_perception.bags.opening.default_cache import default_cache
from stn_perception.bags.reader import BagReader


@dataclass(frozen=True)
class Wanted:
    """What is to be labelled and where.

    Attributes:
        bag: A bag folder, a file, or a URL.
        output: The file of labels.
        camera: The camera's name in it; from the topic when None.
        image: The image topic; the bag's only one when None.
        host: Address or name to listen on.
        port: Port; 0 for a free one.
        step: By how many frames the page steps.
        opens_browser: Whether a browser is to be opened.
    """

    bag: str
    output: Path
    camera: str | None = None
    image: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    step: int = 1
    opens_browser: bool = True


def label(wanted: Wanted) -> None:
    """Serve the page until Ctrl-C or SIGTERM, then say where the labels are.

    Raises:
        BagError: The bag, the topic, the file of labels or the port cannot be used.
    """
    if not wanted.output.parent.is_dir():
        raise BagError(f"no labels can be written to {wanted.output}: there is no such folder.")
    bag = opened(wanted.bag, default_cache())
    with BagReader(bag.path) as reader:
        print(f"Looking through {bag.name} ...", flush=True)
        topics = camera_topics(reader, wanted.image, "")
        frames = CameraFrames(reader, topics.image)
        camera = (wanted.camera or topics.camera).strip("/")
        session = LabellingSession(wanted.output, camera, frames.stamps_ns)
        shown = Shown(bag.name, topics.image, wanted.step)
        with LabelServer(wanted.host, wanted.port, session, frames, shown) as server:
            for sentence in bag.sentences:
                print(sentence)
            _serve(server, wanted.opens_browser)


def _serve(server: LabelServer, opens_browser: bool) -> None:
    session, frames = server.session, server.frames
    print(f"{len(frames)} frames of {server.shown.topic}, camera '{session.camera}'.")
    if frames.repeated:
        print(f"{frames.repeated} images repeat the stamp of another one and are left out.")
    if frames.unreadable:
        print(f"{frames.unreadable} messages are too short for an image and are left out.")
    objects, labelled = session.counts()
    if objects:
        print(f"Going on from {session.path}: {objects} objects, {labelled} labelled frames.")
    try:
        with interruptible():
            print(f"Open {server.access.url}\nCtrl-C ends.", flush=True)
            if opens_browser and _has_display():
                webbrowser.open(server.access.url)
            server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        print()
    session.close()
    frames.close()
    objects, labelled = session.counts()
    if session.path.exists():
        print(f"labels: {session.path}: {objects} objects, {labelled} labelled frames.")
    else:
        print(f"Nothing was labelled, {session.path} was not written.")
    if problem := session.state()["problem"]:
        raise BagError(f"the last changes are not saved: {problem}.")


def _has_display() -> bool:
    """Whether a browser would get a window: a text browser would take this terminal."""
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in names)
