# SPDX-License-Identifier: Apache-2.0
"""Turned and scaled views of pictures, affine, so that every peer can take them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def turned_views(size: int, centers: Matrix, scales: Matrix, angles_rad: Matrix) -> Matrix:
    """frame_from_view V×3×3 in pixels.

    Args:
        size: Side of the square views.
        centers: V×2, where their centres lie in the frame.
        scales: V frame pixels per view pixel.
        angles_rad: V turns.
    """
    middle = (size - 1) / 2
    transforms = np.tile(np.eye(3), (len(scales), 1, 1))
    cosine, sine = scales * np.cos(angles_rad), scales * np.sin(angles_rad)
    transforms[:, 0, 0], transforms[:, 0, 1] = cosine, -sine
    transforms[:, 1, 0], transforms[:, 1, 1] = sine, cosine
    transforms[:, :2, 2] = centers - transforms[:, :2, :2].sum(axis=2) * middle
    return transforms


def smooth_picture(width: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Smooth noise with the contrast of a photograph, uint8 height×width×3."""
    shape = (max(2, height // 16), max(2, width // 16), 3)
    rough = rng.integers(0, 256, shape, dtype=np.uint8)
    return np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC))
