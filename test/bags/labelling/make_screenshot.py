# SPDX-License-Identifier: Apache-2.0
"""Draw docs/labelling.png: the sample recording being labelled, in headless Chromium."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from stn_perception.bags import BagReader
from stn_perception.bags.labelling.frames import CameraFrames
from stn_perception.bags.labelling.server import LabelServer, Shown
from stn_perception.bags.labelling.session import LabellingSession
from stn_perception.bags.pictures import png

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "duckiebot"
SIGNS = {"sign_85": "signal", "sign_144": "junction"}
KEYS = range(48, 109, 10)
SHOWN = 75
SIZE = {"width": 1140, "height": 760}


def main(target: Path) -> None:
    """Place key frames as the sample's truth has them, and show a frame between two."""
    truth = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    with BagReader(SAMPLE) as reader, tempfile.TemporaryDirectory() as folder:
        frames = CameraFrames(reader, "/camera/image/compressed")
        session = LabellingSession(Path(folder) / "labels.json", "camera", frames.stamps_ns)
        for number in KEYS:
            objects = truth[number]["objects"]
            for name in [name for name in SIGNS if name in objects]:
                place = {"do": "place", "object": name, "frame": number}
                session.edit({**place, "corners": objects[name], "class_id": SIGNS[name]})
        shown = Shown("duckiebot", "/camera/image/compressed", 1)
        with LabelServer("127.0.0.1", 0, session, frames, shown) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            shoot(server.access.url, len(frames), target)
            server.shutdown()
            thread.join()


def shoot(url: str, count: int, target: Path) -> None:
    """Open the page at the frame, with a corner under the magnifier."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        box = page.locator("#timeline").bounding_box()
        assert box is not None
        across = 8 + SHOWN / (count - 1) * (box["width"] - 16)
        page.mouse.click(box["x"] + across, box["y"] + 10)
        page.wait_for_timeout(500)
        page.keyboard.press("2")
        page.wait_for_timeout(500)
        shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        octets = np.asarray(shot, dtype=np.uint8)
        target.write_bytes(png(octets & 0xFC | octets >> 6))  # six bits a colour: a smaller file
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
