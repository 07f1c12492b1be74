# SPDX-License-Identifier: Apache-2.0
"""One camera image, looked at where its bytes already lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.depth import DEPTH_ENCODINGS, decode_depth
from stn_perception.messages.encodings import CHANNELS, ColorOrder
from stn_perception.messages.images import decode_compressed_image, decode_image
from stn_perception.messages.stamps import stamp_ns as stamp_ns_of


@dataclass(frozen=True, eq=False)
class PixelLayout:
    """Where the pixels of a frame lie in memory.

    Attributes:
        pixels: The array that holds them; it lives as long as the layout.
        numbers: Address of the first byte, width, height, bytes from row to row.
    """

    pixels: NDArray[np.uint8]
    numbers: tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Frame:
    """A uint8 image with its stamp and optical frame.

    Attributes:
        pixels: uint8 H×W (gray) or H×W×C; may be a view with padded rows. Never written to.
        color: Order of the channels.
        stamp_ns: Source stamp in nanoseconds.
        frame_id: Name of the camera's optical frame.
    """

    pixels: NDArray[np.uint8]
    color: ColorOrder
    stamp_ns: int = 0
    frame_id: str = ""

    def __post_init__(self) -> None:
        """Check that pixels and colour order belong together."""
        if self.color not in CHANNELS:
            raise ValueError(f"color is {self.color!r}, expected one of {sorted(CHANNELS)}")
        channels = CHANNELS[self.color]
        shape = self.pixels.shape
        right = len(shape) == 2 if channels == 1 else len(shape) == 3 and shape[2] == channels
        if self.pixels.dtype != np.uint8 or not right or 0 in shape:
            raise ValueError(
                f"a {self.color} frame has {self.pixels.dtype} pixels of shape {shape}, expected "
                f"uint8 H×W{'' if channels == 1 else f'×{channels}'} with H, W > 0"
            )

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def channels(self) -> int:
        """Values per pixel: 1, 3 or 4."""
        return CHANNELS[self.color]

    @cached_property
    def layout(self) -> PixelLayout:
        """The pixels' place in memory; a copy's where a row's bytes do not follow each other."""
        pixels, channels = self.pixels, self.channels
        within = pixels.strides[1:] == ((1,) if pixels.ndim == 2 else (channels, 1))
        if not within or pixels.strides[0] < channels * pixels.shape[1]:
            pixels = np.ascontiguousarray(pixels)
        address = int(pixels.__array_interface__["data"][0])
        return PixelLayout(pixels, (address, self.width, self.height, int(pixels.strides[0])))


@dataclass(frozen=True, eq=False)
class DepthFrame:
    """A depth image aligned to a frame.

    Attributes:
        meters: float32 H×W, NaN where unknown.
        encoding: ``32FC1`` (metres), ``16UC1`` or ``mono16`` (millimetres), as it came and as
            views of it are published (REP-118).
        stamp_ns, frame_id: As in ``Frame``.
    """

    meters: NDArray[np.float32]
    encoding: str = "32FC1"
    stamp_ns: int = 0
    frame_id: str = ""

    def __post_init__(self) -> None:
        """Check type, shape and encoding."""
        if self.meters.dtype != np.float32 or self.meters.ndim != 2 or self.meters.size == 0:
            raise ValueError(
                f"a depth frame has {self.meters.dtype} values of shape {self.meters.shape}, "
                "expected float32 H×W"
            )
        if self.encoding not in DEPTH_ENCODINGS:
            raise ValueError(
                f"depth encoding is {self.encoding!r}, expected one of {DEPTH_ENCODINGS}"
            )


def frame_from_message(msg: Any, *, max_pixels: int | None = None) -> Frame:
    """Frame of a sensor_msgs Image or CompressedImage (any object with its fields).

    It may look at the message's own bytes: keep the message as long as the frame.

    Raises:
        MessageError: The message is no usable image; ``reason`` says which outcome to count.
    """
    compressed = hasattr(msg, "format") and not hasattr(msg, "encoding")
    decode = decode_compressed_image if compressed else decode_image
    image = decode(msg, max_pixels=max_pixels)
    return Frame(image.pixels, image.color, stamp_ns_of(msg.header), msg.header.frame_id)


def depth_frame_from_message(msg: Any) -> DepthFrame:
    """Depth frame of a sensor_msgs Image in 32FC1 or 16UC1.

    Raises:
        MessageError: The message is no usable depth image.
    """
    depth = decode_depth(msg)
    return DepthFrame(depth.meters, depth.encoding, stamp_ns_of(msg.header), msg.header.frame_id)
