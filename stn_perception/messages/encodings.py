# SPDX-License-Identifier: Apache-2.0
"""The image encodings of sensor_msgs that are read here, each with its layout and meaning.

Rule for values of more than 8 bits, the same for every image so that brightness never jumps:
16-bit integers are divided by 257 (full scale 65535 becomes 255) and rounded; floats are taken as
0 to 1 and multiplied by 255, rounded and clipped, NaN becoming 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2

from stn_perception.messages.outcomes import DropReason, MessageError

ColorOrder = Literal["rgb", "bgr", "rgba", "bgra", "gray"]
Scalar = Literal["u1", "u2", "f4"]

CHANNELS: dict[ColorOrder, int] = {"rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4, "gray": 1}

# Which channels are red, green and blue as they lie in memory, and what each gives to gray.
RGB_PLACES: dict[ColorOrder, tuple[int, int, int]] = {
    "rgb": (0, 1, 2),
    "bgr": (2, 1, 0),
    "rgba": (0, 1, 2),
    "bgra": (2, 1, 0),
    "gray": (0, 0, 0),
}
GRAY_SHARES = (0.299, 0.587, 0.114)  # ITU-R BT.601


@dataclass(frozen=True)
class Encoding:
    """The layout of one encoding.

    Attributes:
        color: the order of the decoded pixels.
        scalar: the element as it lies in memory, without byte order.
        channels: elements per pixel as they lie in memory (1 for the luma plane of NV12).
        conversion: the OpenCV colour conversion to ``color``, None where the pixels are it.
        chroma_rows: half as many rows of chroma again follow the luma rows (NV12, NV21).
    """

    color: ColorOrder
    scalar: Scalar = "u1"
    channels: int = 1
    conversion: int | None = None
    chroma_rows: bool = False

    @property
    def item_size(self) -> int:
        """Bytes of one element."""
        return int(self.scalar[1])

    @property
    def pixel_bytes(self) -> int:
        """Bytes from one pixel to the next in a row."""
        return self.item_size * self.channels


_UYVY = Encoding("rgb", channels=2, conversion=cv2.COLOR_YUV2RGB_UYVY)
_YUYV = Encoding("rgb", channels=2, conversion=cv2.COLOR_YUV2RGB_YUY2)

ENCODINGS: dict[str, Encoding] = {
    "rgb8": Encoding("rgb", channels=3),
    "bgr8": Encoding("bgr", channels=3),
    "rgba8": Encoding("rgba", channels=4),
    "bgra8": Encoding("bgra", channels=4),
    "mono8": Encoding("gray"),
    "8UC1": Encoding("gray"),
    "8UC3": Encoding("bgr", channels=3),
    "8UC4": Encoding("bgra", channels=4),
    "mono16": Encoding("gray", "u2"),
    "16UC1": Encoding("gray", "u2"),
    "rgb16": Encoding("rgb", "u2", 3),
    "bgr16": Encoding("bgr", "u2", 3),
    "32FC1": Encoding("gray", "f4"),
    # A Bayer name here says rows 0 and 1; OpenCV's says row 1 from column 1 on: RGGB is its BG.
    "bayer_rggb8": Encoding("rgb", conversion=cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": Encoding("rgb", conversion=cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": Encoding("rgb", conversion=cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": Encoding("rgb", conversion=cv2.COLOR_BayerGB2RGB),
    "bayer_rggb16": Encoding("rgb", "u2", conversion=cv2.COLOR_BayerBG2RGB),
    "bayer_bggr16": Encoding("rgb", "u2", conversion=cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg16": Encoding("rgb", "u2", conversion=cv2.COLOR_BayerGR2RGB),
    "bayer_grbg16": Encoding("rgb", "u2", conversion=cv2.COLOR_BayerGB2RGB),
    "uyvy": _UYVY,
    "yuv422": _UYVY,
    "yuyv": _YUYV,
    "yuv422_yuy2": _YUYV,
    "nv12": Encoding("rgb", conversion=cv2.COLOR_YUV2RGB_NV12, chroma_rows=True),
    "nv21": Encoding("rgb", conversion=cv2.COLOR_YUV2RGB_NV21, chroma_rows=True),
}

SUPPORTED_ENCODINGS: tuple[str, ...] = tuple(ENCODINGS)

ENCODING_OF_COLOR: dict[ColorOrder, str] = {
    "rgb": "rgb8",
    "bgr": "bgr8",
    "rgba": "rgba8",
    "bgra": "bgra8",
    "gray": "mono8",
}


def encoding_layout(name: str) -> Encoding:
    """The layout of an encoding; raises MessageError(BAD_ENCODING) that lists the known ones."""
    layout = ENCODINGS.get(name)
    if layout is None:
        raise MessageError(
            DropReason.BAD_ENCODING,
            f"image encoding {name!r} is not one of {', '.join(SUPPORTED_ENCODINGS)}",
        )
    return layout
