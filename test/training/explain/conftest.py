# SPDX-License-Identifier: Apache-2.0
"""A recording and a folder of pictures to explain a model with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagWriter, RosbagsFactory
from stn_perception.messages.factory import header
from stn_perception.messages.images import encode_image

STAMP_NS = 1_767_225_600_000_000_000


def draw_panel(seed: int = 0) -> np.ndarray:
    """A bright turned panel on a dark table, BGR."""
    picture = np.random.default_rng(seed).integers(20, 60, (120, 160, 3), dtype=np.uint8)
    quad = np.array([(50, 30), (110, 40), (104, 92), (44, 84)], np.int32)
    cv2.fillConvexPoly(picture, quad, (210, 220, 215), cv2.LINE_AA)
    return picture


@pytest.fixture
def panel() -> Callable[[int], np.ndarray]:
    """Draws panels."""
    return draw_panel


@pytest.fixture
def make_bag(tmp_path: Path) -> Callable[..., Path]:
    """A recording of panels without boxes, on given image topics."""

    def make(*topics: str, frames: int = 5, encoding: str = "") -> Path:
        path = tmp_path / "bag"
        with BagWriter(path) as writer:
            factory = RosbagsFactory(writer.typestore)
            for topic in topics:
                writer.add_topic(topic, "sensor_msgs/msg/Image")
                for index in range(frames):
                    stamp_ns = STAMP_NS + index * 100_000_000
                    head = header(factory, stamp_ns, "optical")
                    message: Any = encode_image(factory, head, draw_panel(index), "bgr")
                    if encoding:
                        message.encoding = encoding
                    writer.write_message(topic, stamp_ns, message)
        return path

    return make
