# SPDX-License-Identifier: Apache-2.0
"""A recording of a square that moves in a known way, and a running label server for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.labelling.frames import CameraFrames
from stn_perception.bags.labelling.server import LabelServer, Shown
from stn_perception.bags.labelling.session import LabellingSession
from stn_perception.geometry import transform_points
from stn_perception.messages.factory import header
from stn_perception.messages.images import encode_image

FRAMES = 13
SIZE = (160, 120)
START = np.array([[50.0, 42.0], [86.0, 44.0], [84.0, 78.0], [48.0, 76.0]])
# From each frame to the following one: turned, grown, moved and tilted a little.
STEP = np.array([[1.01, -0.04, 4.5], [0.04, 1.006, -2.5], [0.0002, 0.0001, 1.0]])
MARK = (10, 20)  # this one pixel is red in every frame
RUN = (
    "import argparse, sys\n"
    "from stn_perception.bags.labelling import command\n"
    "parser = argparse.ArgumentParser()\n"
    "command.add_arguments(parser)\n"
    "try:\n"
    "    sys.exit(command.run(parser.parse_args()))\n"
    "except ValueError as error:\n"
    "    sys.exit(f'stn label: {error}')\n"
)


def stamp_ns(number: int) -> int:
    """Of a frame: ten a second."""
    return 1_700_000_000_000_000_000 + number * 100_000_000


def true_corners(number: int) -> np.ndarray:
    """Of the square in a frame."""
    return transform_points(np.linalg.matrix_power(STEP, number), START)


def frame_pixels(number: int) -> np.ndarray:
    """RGB: a light square on gray, and the mark."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8)
    outline = np.rint(true_corners(number) * 256).astype(np.int32)
    cv2.fillConvexPoly(pixels, outline, (235, 235, 235), cv2.LINE_AA, 8)
    pixels[MARK[1], MARK[0]] = (255, 0, 0)
    return pixels


def write_bag(path: Path, order: list[int], topics: tuple[str, ...] = ("/front/image",)) -> None:
    """Frames of the moving square, recorded in an order of their numbers."""
    factory = RosbagsFactory()
    with BagWriter(path) as bag:
        for topic in topics:
            bag.add_topic(topic, "sensor_msgs/msg/Image")
        bag.add_topic("/words", "std_msgs/msg/String")
        bag.write_message("/words", 0, factory.make("std_msgs/msg/String", data="hello"))
        for place, number in enumerate(order):
            head = header(factory, stamp_ns(number), "front")
            message = encode_image(factory, head, frame_pixels(number), "rgb")
            for topic in topics:
                bag.write_message(topic, 1000 * place, message)


@pytest.fixture(scope="session")
def square() -> SimpleNamespace:
    """What is known about the moving square, and the writer of its bags."""
    return SimpleNamespace(
        frames=FRAMES,
        mark=MARK,
        stamps_ns=[stamp_ns(n) for n in range(FRAMES)],
        true_corners=true_corners,
        pixels=frame_pixels,
        write_bag=write_bag,
    )


@pytest.fixture(scope="session")
def square_bag(tmp_path_factory) -> Path:
    """The moving square, /front/image."""
    path = tmp_path_factory.mktemp("bags") / "square"
    write_bag(path, list(range(FRAMES)))
    return path


@contextmanager
def _served(bag: Path, labels: Path) -> Iterator[LabelServer]:
    with BagReader(bag) as reader:
        frames = CameraFrames(reader, "/front/image")
        session = LabellingSession(labels, "front", frames.stamps_ns)
        shown = Shown("square", "/front/image", 1)
        with LabelServer("127.0.0.1", 0, session, frames, shown) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture(scope="session")
def served():
    """Serve a bag's labels in this process: a block with a bag and a file."""
    return _served


class RunningServer:
    """A `stn label` of its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = ""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Open "):
                self.url = line.split()[1]
                return
        raise AssertionError("the server ended before it told its address")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; the exit status and what was said after the address."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate()
        return self.process.returncode, said


@pytest.fixture(scope="session")
def label_server():
    """Start `stn label` with arguments; it is ended with the block."""

    @contextmanager
    def started(*arguments: str) -> Iterator[RunningServer]:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments, "--no-browser"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield RunningServer(process)
        finally:
            process.kill()
            process.wait()

    return started
