# SPDX-License-Identifier: Apache-2.0
"""How sharp a box's pixels are, to tell blurred views from others."""

from __future__ import annotations

import cv2
import numpy as np

from stn_perception.messages.regions import Region
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.gray import gray_pixels

_SIDE_PX = 64


def sharpness(frame: Frame, region: Region) -> float | None:
    """Variance of the Laplacian of the box's gray pixels resized to 64×64; None outside the frame.

    The measure of Pech-Pacheco et al. (2000), "Diatom autofocusing in brightfield microscopy".
    It depends on what the box shows: compare it between frames of one object.
    """
    corners = region.box.corners()
    low = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (frame.width, frame.height))
    if (high - low < 2).any():
        return None
    crop = gray_pixels(frame.pixels[low[1] : high[1], low[0] : high[0]], frame.color)
    resized = cv2.resize(crop, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(resized, cv2.CV_64F).var())
