# SPDX-License-Identifier: Apache-2.0
"""Claims about compressed images."""

from __future__ import annotations

import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from stn_perception.messages import DropReason, MessageError, decode_compressed_image

GENERATOR = np.random.default_rng(0)


def compressed(pixels: np.ndarray, suffix: str, form: str) -> SimpleNamespace:
    ok, data = cv2.imencode(suffix, pixels)
    assert ok
    return SimpleNamespace(format=form, data=array.array("B", data.tobytes()))


@pytest.mark.parametrize("form", ["png", "rgb8; png compressed bgr8"])
def test_a_png_comes_back_exactly_as_bgr(form: str, picture: np.ndarray) -> None:
    decoded = decode_compressed_image(compressed(picture, ".png", form))
    np.testing.assert_array_equal(decoded.pixels, picture)
    assert (decoded.color, decoded.encoding) == ("bgr", form)


def test_a_jpeg_comes_back_nearly(picture: np.ndarray) -> None:
    decoded = decode_compressed_image(compressed(picture, ".jpg", "jpeg"))
    assert decoded.color == "bgr"
    assert np.abs(decoded.pixels.astype(int) - picture).max() <= 8


def test_gray_sixteen_bit_and_transparent_files_are_read(picture: np.ndarray) -> None:
    gray = decode_compressed_image(compressed(picture[..., 0], ".png", "mono8; png compressed "))
    assert gray.color == "gray"
    np.testing.assert_array_equal(gray.pixels, picture[..., 0])
    deep = compressed(picture[..., 0].astype(np.uint16) * 257, ".png", "mono16; png compressed ")
    np.testing.assert_array_equal(decode_compressed_image(deep).pixels, picture[..., 0])
    clear = compressed(np.dstack([picture, picture[..., :1]]), ".png", "png")
    assert decode_compressed_image(clear).color == "bgra"


def test_a_compressed_mosaic_is_developed(picture: np.ndarray) -> None:
    mosaic = np.zeros(picture.shape[:2], np.uint8)
    for index, channel in enumerate((0, 1, 1, 2)):
        row, column = divmod(index, 2)
        mosaic[row::2, column::2] = picture[row::2, column::2, channel]
    decoded = decode_compressed_image(compressed(mosaic, ".png", "bayer_rggb8; png compressed "))
    assert decoded.color == "rgb"
    assert np.abs(decoded.pixels.astype(int) - picture)[2:-2, 2:-2].max() <= 4


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.9])
def test_a_cut_file_is_refused(suffix: str, part: float) -> None:
    noise = GENERATOR.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    message = compressed(noise, suffix, suffix[1:])
    message.data = message.data[: int(part * len(message.data))]
    with pytest.raises(MessageError) as caught:
        decode_compressed_image(message)
    expected = DropReason.UNDECODABLE if part else DropReason.EMPTY_IMAGE
    assert caught.value.reason is expected


def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(MessageError, match="compressed depth"):
        decode_compressed_image(SimpleNamespace(format="16UC1; compressedDepth", data=b"abc"))
    with pytest.raises(MessageError) as caught:
        decode_compressed_image(SimpleNamespace(format="jpeg", data=b"not a picture"))
    assert caught.value.reason is DropReason.UNDECODABLE
    with pytest.raises(MessageError) as caught:
        decode_compressed_image(compressed(picture, ".png", "png"), max_pixels=100)
    assert caught.value.reason is DropReason.TOO_LARGE
