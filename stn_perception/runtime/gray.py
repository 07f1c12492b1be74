# SPDX-License-Identifier: Apache-2.0
"""Gray of every colour order, as OpenCV makes it (ITU-R BT.601 luma)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TO_GRAY: dict[str, int | None] = {
    "gray": None,
    "rgb": cv2.COLOR_RGB2GRAY,
    "bgr": cv2.COLOR_BGR2GRAY,
    "rgba": cv2.COLOR_RGBA2GRAY,
    "bgra": cv2.COLOR_BGRA2GRAY,
}


def gray_pixels(pixels: NDArray[np.uint8], color: str) -> NDArray[np.uint8]:
    """uint8 H×W of uint8 pixels in a colour order; gray ones are handed back as they are."""
    code = TO_GRAY[color]
    return pixels if code is None else np.asarray(cv2.cvtColor(pixels, code), dtype=np.uint8)
