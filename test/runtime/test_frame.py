# SPDX-License-Identifier: Apache-2.0
"""A frame looks at bytes where they lie."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.runtime.frame import (
    DepthFrame,
    Frame,
    depth_frame_from_message,
    frame_from_message,
)

HEADER = SimpleNamespace(stamp=SimpleNamespace(sec=5, nanosec=7), frame_id="optical")


def image(pixels: np.ndarray, encoding: str, padding: int = 0) -> Any:
    rows = pixels.reshape(pixels.shape[0], -1).view(np.uint8)
    data = np.pad(rows, ((0, 0), (0, padding)))
    return SimpleNamespace(
        header=HEADER,
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=data.shape[1],
        data=data.ravel(),
    )


@pytest.mark.parametrize("padding", [0, 5])
def test_an_8_bit_image_is_not_copied(padding: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    msg = image(pixels, "bgr8", padding)
    frame = frame_from_message(msg)
    assert np.shares_memory(frame.pixels, msg.data)
    np.testing.assert_array_equal(frame.pixels, pixels)
    assert (frame.color, frame.width, frame.height, frame.channels) == ("bgr", 30, 20, 3)
    assert (frame.stamp_ns, frame.frame_id) == (5_000_000_007, "optical")


def test_a_compressed_image_is_decoded() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    data = cv2.imencode(".png", pixels)[1].ravel()
    frame = frame_from_message(SimpleNamespace(header=HEADER, format="png", data=data))
    assert frame.color == "bgr"
    np.testing.assert_array_equal(frame.pixels, pixels)


def test_a_bad_image_says_what_to_count() -> None:
    with pytest.raises(MessageError) as caught:
        frame_from_message(image(np.zeros((4, 4), dtype=np.uint8), "plasma8"))
    assert caught.value.reason is DropReason.BAD_ENCODING
    with pytest.raises(MessageError) as caught:
        frame_from_message(image(np.zeros((4, 4), dtype=np.uint8), "mono8"), max_pixels=15)
    assert caught.value.reason is DropReason.TOO_LARGE


def test_depth_is_metres_whatever_it_came_in() -> None:
    millimeters = np.array([[0, 1500], [2000, 65535]], dtype=np.uint16)
    depth = depth_frame_from_message(image(millimeters, "16UC1"))
    np.testing.assert_allclose(depth.meters, [[np.nan, 1.5], [2.0, 65.535]], rtol=1e-6)
    assert depth.encoding == "16UC1"


@pytest.mark.parametrize(
    ("shape", "color"),
    [((4, 5), "rgb"), ((4, 5, 3), "gray"), ((4, 5, 4), "bgr"), ((0, 5), "gray")],
)
def test_pixels_that_are_not_of_the_colour_order_are_refused(
    shape: tuple[int, ...], color: str
) -> None:
    with pytest.raises(ValueError, match="expected"):
        Frame(np.zeros(shape, dtype=np.uint8), color)  # type: ignore[arg-type]


def test_a_frame_of_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        Frame(np.zeros((4, 5), dtype=np.float32), "gray")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected one of"):
        Frame(np.zeros((4, 5), dtype=np.uint8), "hsv")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="8UC1"):
        DepthFrame(np.zeros((4, 5), dtype=np.float32), "8UC1")
