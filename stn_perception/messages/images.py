# SPDX-License-Identifier: Apache-2.0
"""Image messages to and from arrays."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.buffers import bytes_as_array
from stn_perception.messages.encodings import (
    CHANNELS,
    ENCODING_OF_COLOR,
    ColorOrder,
    Encoding,
    encoding_layout,
)
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.outcomes import DropReason, MessageError

__all__ = [
    "ColorOrder",
    "DecodedImage",
    "decode_compressed_image",
    "decode_image",
    "encode_image",
    "image_elements",
    "raw_image_message",
    "scale_to_octets",
]


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """Pixels uint8, H×W×C or H×W for gray, in ``color`` order; ``encoding`` is the message's.

    The array may look at the message's own bytes, rows padded as they came: do not write to it,
    and keep it no longer than the message.
    """

    pixels: NDArray[np.uint8]
    color: ColorOrder
    encoding: str


def decode_image(message: Any, *, max_pixels: int | None = None) -> DecodedImage:
    """Pixels of a sensor_msgs/Image; no copy for the 8-bit rgb, bgr, rgba, bgra and mono ones.

    Honours ``step`` (any row padding) and ``is_bigendian``; values of 16 bits and floats are
    scaled by the rule in :mod:`stn_perception.messages.encodings`; Bayer and YUV (BT.601, video
    range) become rgb.

    Raises:
        MessageError: EMPTY_IMAGE, BAD_ENCODING, BAD_STEP, BAD_SIZE, or TOO_LARGE beyond
            ``max_pixels``.
    """
    layout = encoding_layout(message.encoding)
    _check_area(int(message.width), int(message.height), max_pixels)
    elements = image_elements(message, layout)
    if layout.conversion is None:
        return DecodedImage(scale_to_octets(elements), layout.color, message.encoding)
    pixels = cv2.cvtColor(scale_to_octets(elements), layout.conversion)
    return DecodedImage(np.asarray(pixels, dtype=np.uint8), layout.color, message.encoding)


def decode_compressed_image(message: Any, *, max_pixels: int | None = None) -> DecodedImage:
    """Pixels of a sensor_msgs/CompressedImage holding JPEG, PNG or another format OpenCV reads.

    Colour comes as bgr (the files' own channel order is undone), ``encoding`` is the message's
    ``format`` field.

    Raises:
        MessageError: EMPTY_IMAGE, UNDECODABLE (a truncated file too), BAD_ENCODING
            (compressedDepth) or TOO_LARGE.
    """
    form = str(message.format)
    if "compressedDepth" in form:
        raise MessageError(
            DropReason.BAD_ENCODING,
            f"format {form!r} is a compressed depth image, expected a JPEG or PNG picture",
        )
    data = bytes_as_array(message.data)
    if data.size == 0:
        raise MessageError(DropReason.EMPTY_IMAGE, "the compressed image holds no data")
    pixels = _decode_file(data, form)
    _check_area(pixels.shape[1], pixels.shape[0], max_pixels)
    octets = scale_to_octets(pixels)
    if octets.ndim == 2 and form.startswith("bayer_"):
        bayer = encoding_layout(form.split(";")[0].strip())
        if bayer.conversion is not None:
            octets = np.asarray(cv2.cvtColor(octets, bayer.conversion), dtype=np.uint8)
            return DecodedImage(octets, bayer.color, form)
    colors: dict[int, ColorOrder] = {2: "gray", 3: "bgr" if octets.shape[-1] == 3 else "bgra"}
    return DecodedImage(octets, colors[octets.ndim], form)


def encode_image(
    factory: MessageFactory, header: Any, pixels: NDArray[np.uint8], color: ColorOrder
) -> Any:
    """A sensor_msgs/Image of uint8 pixels H×W×C (gray: H×W), in their own order, rows unpadded."""
    channels = CHANNELS[color]
    expected = (pixels.shape[0], pixels.shape[1]) + ((channels,) if channels > 1 else ())
    if pixels.dtype != np.uint8 or pixels.shape != expected:
        raise ValueError(
            f"pixels are {pixels.dtype} of shape {pixels.shape}, expected uint8 for {color!r}"
        )
    return raw_image_message(factory, header, pixels, ENCODING_OF_COLOR[color])


def raw_image_message(
    factory: MessageFactory, header: Any, values: NDArray[Any], encoding: str
) -> Any:
    """A sensor_msgs/Image of any array H×W[×C] in this machine's byte order."""
    contiguous = np.ascontiguousarray(values)
    height, width = contiguous.shape[:2]
    return factory.make(
        "sensor_msgs/msg/Image",
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(sys.byteorder == "big"),
        step=contiguous.strides[0] if height and width else 0,
        data=factory.octets(contiguous.reshape(-1).view(np.uint8)),
    )


def image_elements(message: Any, layout: Encoding) -> NDArray[Any]:
    """The message's elements as they lie, H×W or H×W×C (NV12: 1.5 H × W), never copied."""
    width, height, step = int(message.width), int(message.height), int(message.step)
    if width == 0 or height == 0:
        raise MessageError(DropReason.EMPTY_IMAGE, f"the image is {width} × {height}: empty")
    row_bytes = width * layout.pixel_bytes
    if step < row_bytes:
        raise MessageError(
            DropReason.BAD_STEP,
            f"step is {step} bytes, expected at least {row_bytes} for {width} pixels of "
            f"{message.encoding}",
        )
    rows = height
    if layout.chroma_rows:
        if width % 2 or height % 2:
            raise MessageError(
                DropReason.BAD_SIZE, f"{message.encoding} is {width} × {height}, expected even"
            )
        rows = height * 3 // 2
    elif layout.channels == 2 and width % 2:
        raise MessageError(
            DropReason.BAD_SIZE, f"{message.encoding} is {width} pixels wide, expected even"
        )
    data = bytes_as_array(message.data)
    # The last row may come without its padding.
    if data.size < step * (rows - 1) + row_bytes:
        raise MessageError(
            DropReason.BAD_SIZE,
            f"the image holds {data.size} bytes, expected {step * rows} for {height} rows of "
            f"{step}",
        )
    order = ">" if message.is_bigendian else "<"
    item = layout.item_size
    shape, strides = [rows, width], [step, layout.pixel_bytes]
    if layout.channels > 1:
        shape.append(layout.channels)
        strides.append(item)
    return np.ndarray(shape, np.dtype(order + layout.scalar), data, 0, strides)


def scale_to_octets(elements: NDArray[Any]) -> NDArray[np.uint8]:
    """Elements as uint8 by the stated rule; 8-bit ones are handed through."""
    if elements.dtype == np.uint8:
        return np.asarray(elements, dtype=np.uint8)
    if elements.dtype.kind == "u":
        # Exact rounding of v / 257 in 32-bit integers.
        return np.asarray((elements.astype(np.uint32) + 128) // 257, dtype=np.uint8)
    values = np.nan_to_num(elements.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.rint(np.clip(values, 0.0, 1.0) * 255.0), dtype=np.uint8)


def _check_area(width: int, height: int, max_pixels: int | None) -> None:
    if max_pixels is not None and width * height > max_pixels:
        raise MessageError(
            DropReason.TOO_LARGE,
            f"the image is {width} × {height}, expected at most {max_pixels} pixels",
        )


def _decode_file(data: NDArray[np.uint8], form: str) -> NDArray[Any]:
    if data[:2].tobytes() == b"\xff\xd8" and b"\xff\xd9" not in data[-4096:].tobytes():
        # OpenCV fills what a cut JPEG lacks with gray and says nothing.
        raise MessageError(
            DropReason.UNDECODABLE, f"the {form!r} image of {data.size} bytes is cut off"
        )
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise MessageError(
            DropReason.UNDECODABLE, f"the {form!r} image of {data.size} bytes: {error.err}"
        ) from error
    if pixels is None:
        raise MessageError(
            DropReason.UNDECODABLE,
            f"the {form!r} image of {data.size} bytes is no picture that OpenCV reads",
        )
    return np.asarray(pixels)
