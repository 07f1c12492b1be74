# SPDX-License-Identifier: Apache-2.0
"""Frames and transforms that the tests of this folder share."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.pixels import view_corners
from stn_perception.messages.encodings import CHANNELS, ColorOrder
from stn_perception.runtime.frame import Frame

Matrix = NDArray[np.float64]


def picture(width: int, height: int, color: ColorOrder = "rgb", seed: int = 0) -> Frame:
    """Noise, blurred a little and stretched to all levels."""
    channels = CHANNELS[color]
    shape = (height, width) if channels == 1 else (height, width, channels)
    rough = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    smooth = cv2.normalize(cv2.blur(rough, (3, 3)), None, 0, 255, cv2.NORM_MINMAX)
    return Frame(np.asarray(smooth, dtype=np.uint8), color, frame_id=f"{color}_{width}")


def quad_view(
    frame: tuple[int, int], view: tuple[int, int], share: float, seed: int, shift: float = 0.0
) -> Matrix:
    """frame_from_view of an uneven quad that covers ``share`` of the frame's sides."""
    rng = np.random.default_rng(seed)
    unit = np.array([[-0.5, -0.5], [0.5, -0.45], [0.52, 0.5], [-0.47, 0.55]]) * share
    unit += rng.uniform(-0.06, 0.06, (4, 2)) * share + 0.5 + shift
    return homography_from_corners(unit * frame, view_corners(*view))


def folding() -> Matrix:
    """Part of the view lies behind the camera."""
    return np.array([[0.47, 0.11, 8.3], [0.02, 0.53, 9.1], [-0.061, 0.0, 1.0]])


def shifted(x: float, y: float) -> Matrix:
    """The upright view at the frame's own scale."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
