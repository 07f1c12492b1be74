# SPDX-License-Identifier: Apache-2.0
"""Claims about image bytes and arrays."""

from __future__ import annotations

import array
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.messages import (
    ColorOrder,
    DropReason,
    MessageError,
    decode_image,
    encode_image,
)
from stn_perception.messages.encodings import ENCODINGS, SUPPORTED_ENCODINGS

LISTED = {
    *("rgb8", "bgr8", "rgba8", "bgra8", "mono8", "mono16", "8UC1", "8UC3", "16UC1", "32FC1"),
    *("bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"),
    *("uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12"),
}
GENERATOR = np.random.default_rng(0)


def test_every_listed_encoding_is_supported() -> None:
    assert set(SUPPORTED_ENCODINGS) >= LISTED


@pytest.mark.parametrize("padding", [0, 1, 2, 5, 64])
@pytest.mark.parametrize(
    ("encoding", "channels", "color"),
    [
        ("rgb8", 3, "rgb"),
        ("bgr8", 3, "bgr"),
        ("rgba8", 4, "rgba"),
        ("bgra8", 4, "bgra"),
        ("mono8", 1, "gray"),
        ("8UC1", 1, "gray"),
        ("8UC3", 3, "bgr"),
    ],
)
def test_eight_bit_images_are_looked_at_in_place(
    encoding: str, channels: int, color: str, padding: int, image: Any
) -> None:
    shape = (7, 5, channels) if channels > 1 else (7, 5)
    values = GENERATOR.integers(0, 256, shape, dtype=np.uint8)
    message = image(values, encoding, padding)
    decoded = decode_image(message)
    np.testing.assert_array_equal(decoded.pixels, values)
    assert decoded.pixels.dtype == np.uint8
    assert (decoded.color, decoded.encoding) == (color, encoding)
    assert np.shares_memory(decoded.pixels, np.frombuffer(message.data, np.uint8))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, np.array, list, tuple])
def test_the_bytes_may_come_in_any_container(kind: Any, image: Any) -> None:
    values = GENERATOR.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    message = image(values, "rgb8", padding=2)
    raw = message.data.tobytes()
    message.data = np.frombuffer(raw, np.uint8).copy() if kind is np.array else kind(raw)
    decoded = decode_image(message)
    np.testing.assert_array_equal(decoded.pixels, values)
    if kind not in (list, tuple):
        assert np.shares_memory(decoded.pixels, np.frombuffer(message.data, np.uint8))


def test_a_strided_array_is_read_in_order(image: Any) -> None:
    values = GENERATOR.integers(0, 256, (4, 6), dtype=np.uint8)
    message = image(values, "mono8")
    message.data = np.repeat(np.frombuffer(message.data, np.uint8), 2)[::2]
    np.testing.assert_array_equal(decode_image(message).pixels, values)


def test_the_last_row_may_lack_its_padding(image: Any) -> None:
    values = GENERATOR.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    message = image(values, "rgb8", padding=3)
    message.data = message.data[:-3]
    np.testing.assert_array_equal(decode_image(message).pixels, values)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_sixteen_bits_are_divided_by_257(
    encoding: str, padding: int, big: bool, image: Any
) -> None:
    values = GENERATOR.integers(0, 65536, (7, 9), dtype=np.uint16)
    values[0, :3] = 0, 65535, 257
    pixels = decode_image(image(values, encoding, padding, big)).pixels
    np.testing.assert_array_equal(pixels, np.rint(values / 257).astype(np.uint8))
    assert pixels[0, :3].tolist() == [0, 255, 1]


@pytest.mark.parametrize("big", [False, True])
def test_sixteen_bit_colour_keeps_its_order(big: bool, image: Any) -> None:
    values = GENERATOR.integers(0, 65536, (7, 9, 3), dtype=np.uint16)
    decoded = decode_image(image(values, "bgr16", 1, big))
    np.testing.assert_array_equal(decoded.pixels, np.rint(values / 257))
    assert decoded.color == "bgr"


@pytest.mark.parametrize("big", [False, True])
def test_floats_are_zero_to_one_and_nothing_else_gets_through(big: bool, image: Any) -> None:
    values = np.array([[0, 0.5, 1, 2], [-1, np.nan, np.inf, -np.inf]], np.float32)
    pixels = decode_image(image(values, "32FC1", 3, big)).pixels
    assert pixels.tolist() == [[0, 128, 255, 255], [0, 0, 255, 0]]


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_each_bayer_pattern_gives_the_colours_it_was_made_of(
    pattern: str, bits: int, padding: int, image: Any, picture: np.ndarray
) -> None:
    mosaic = np.zeros(picture.shape[:2], np.uint8)
    for index, letter in enumerate(pattern):
        row, column = divmod(index, 2)
        mosaic[row::2, column::2] = picture[row::2, column::2, "rgb".index(letter)]
    values = mosaic if bits == 8 else mosaic.astype(np.uint16) * 257
    decoded = decode_image(image(values, f"bayer_{pattern}{bits}", padding))
    assert decoded.color == "rgb"
    difference = np.abs(decoded.pixels.astype(int) - picture)[2:-2, 2:-2]
    assert difference.max() <= 4


def packed_yuv(picture: np.ndarray, luma_first: bool) -> np.ndarray:
    """4:2:2 by the BT.601 video-range equations, H×W×2."""
    r, g, b = np.moveaxis(picture.astype(float), -1, 0)
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    u = 128 - 0.148 * r - 0.291 * g + 0.439 * b
    v = 128 + 0.439 * r - 0.368 * g - 0.071 * b
    chroma = np.empty_like(y)
    chroma[:, 0::2] = (u[:, 0::2] + u[:, 1::2]) / 2
    chroma[:, 1::2] = (v[:, 0::2] + v[:, 1::2]) / 2
    pair = (y, chroma) if luma_first else (chroma, y)
    return np.stack(pair, -1).round().astype(np.uint8)


@pytest.mark.parametrize("padding", [0, 1, 6])
@pytest.mark.parametrize(
    ("encoding", "luma_first"),
    [("uyvy", False), ("yuv422", False), ("yuyv", True), ("yuv422_yuy2", True)],
)
def test_packed_yuv_is_bt601(
    encoding: str, luma_first: bool, padding: int, image: Any, picture: np.ndarray
) -> None:
    decoded = decode_image(image(packed_yuv(picture, luma_first), encoding, padding))
    assert decoded.color == "rgb"
    assert np.abs(decoded.pixels.astype(int) - picture).max() <= 4


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", ["nv12", "nv21"])
def test_nv12_has_half_as_many_rows_of_chroma(
    encoding: str, padding: int, image: Any, picture: np.ndarray
) -> None:
    yuv = packed_yuv(picture, luma_first=True)
    chroma = yuv[0::2, :, 1] if encoding == "nv12" else yuv[0::2, :, 1][:, np.arange(64) ^ 1]
    planes = np.vstack([yuv[..., 0], chroma])
    message = image(planes, encoding, padding)
    message.height = 48
    decoded = decode_image(message)
    assert decoded.pixels.shape == picture.shape
    assert np.abs(decoded.pixels.astype(int) - picture).max() <= 6


def damaged(**changes: Any) -> Any:
    """A good rgb8 image of 4×6, but for the fields given."""
    fields = {
        "height": 4,
        "width": 6,
        "encoding": "rgb8",
        "is_bigendian": 0,
        "step": 18,
        "data": array.array("B", bytes(72)),
    }
    return SimpleNamespace(**{**fields, **changes})


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (DropReason.BAD_ENCODING, damaged(encoding="jpeg2000")),
        (DropReason.BAD_ENCODING, damaged(encoding="")),
        (DropReason.BAD_STEP, damaged(step=17)),
        (DropReason.BAD_STEP, damaged(step=0)),
        (DropReason.BAD_STEP, damaged(width=7)),
        (DropReason.BAD_SIZE, damaged(height=5)),
        (DropReason.BAD_SIZE, damaged(data=array.array("B"))),
        (DropReason.EMPTY_IMAGE, damaged(width=0)),
        (DropReason.EMPTY_IMAGE, damaged(height=0, width=0, step=0)),
        (DropReason.BAD_SIZE, damaged(encoding="nv12", height=3)),
        (DropReason.BAD_SIZE, damaged(encoding="yuyv", width=5)),
        (DropReason.UNDECODABLE, damaged(data=None)),
    ],
)
def test_a_bad_image_is_refused_in_one_sentence(reason: DropReason, message: Any) -> None:
    with pytest.raises(MessageError) as caught:
        decode_image(message)
    assert caught.value.reason is reason
    assert "\n" not in str(caught.value)


def test_an_unknown_encoding_lists_the_known_ones() -> None:
    with pytest.raises(MessageError, match=r"'uyvy16' is not one of rgb8, bgr8.*nv12"):
        decode_image(damaged(encoding="uyvy16"))


def test_an_image_beyond_the_limit_is_refused_before_it_is_looked_at() -> None:
    decode_image(damaged(), max_pixels=24)
    with pytest.raises(MessageError) as caught:
        decode_image(damaged(data=None), max_pixels=23)
    assert caught.value.reason is DropReason.TOO_LARGE


@pytest.mark.parametrize("color", ["rgb", "bgr", "rgba", "bgra", "gray"])
def test_an_encoded_image_is_decoded_to_itself(factory: Any, head: Any, color: Any) -> None:
    shape = {"gray": (5, 7), "rgb": (5, 7, 3), "bgr": (5, 7, 3)}.get(color, (5, 7, 4))
    pixels = GENERATOR.integers(0, 256, (5, 14, *shape[2:]), dtype=np.uint8)[:, ::2]
    message = encode_image(factory, head, pixels, color)
    assert (message.height, message.width) == (5, 7)
    assert message.step == 7 * (shape[2] if len(shape) == 3 else 1)
    decoded = decode_image(message)
    np.testing.assert_array_equal(decoded.pixels, pixels)
    assert decoded.color == color
    with pytest.raises(ValueError, match="expected uint8"):
        encode_image(factory, head, pixels.astype(np.float32), color)


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(sorted(ENCODINGS)),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 64),
    st.binary(max_size=700),
)
def test_whatever_the_fields_say_there_is_a_picture_or_a_reason(
    encoding: str, height: int, width: int, step: int, data: bytes
) -> None:
    message = damaged(encoding=encoding, height=height, width=width, step=step, data=data)
    try:
        decoded = decode_image(message)
    except MessageError as error:
        assert isinstance(error.reason, DropReason)
    else:
        assert decoded.pixels.dtype == np.uint8
        assert decoded.pixels.shape[:2] == (height, width)


def test_the_two_conversions_agree_where_cv_bridge_is_installed(
    factory: Any, head: Any, picture: np.ndarray
) -> None:
    bridge = pytest.importorskip("cv_bridge").CvBridge()
    colors: tuple[ColorOrder, ...] = ("rgb", "bgr")
    for color in colors:
        message = encode_image(factory, head, picture, color)
        np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message), decode_image(message).pixels)
