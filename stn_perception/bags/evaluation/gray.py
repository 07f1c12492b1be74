# SPDX-License-Identifier: Apache-2.0
"""Gray pixels of any colour order."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.drawing import bgr_pixels


def gray_pixels(pixels: NDArray[np.uint8], color: str) -> NDArray[np.uint8]:
    """uint8 H×W of uint8 pixels in a colour order (ITU-R BT.601 luma)."""
    if color == "gray":
        return np.ascontiguousarray(pixels)
    gray = cv2.cvtColor(bgr_pixels(pixels, color), cv2.COLOR_BGR2GRAY)
    return np.asarray(gray, dtype=np.uint8)
