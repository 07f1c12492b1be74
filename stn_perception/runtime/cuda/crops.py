# SPDX-License-Identifier: Apache-2.0
"""Crops of many boxes at once: ``geometry.boxes.frame_from_crop`` over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import CropShape
from stn_perception.geometry.pixels import view_center

Matrix = NDArray[np.float64]


def frame_from_crops(
    boxes: Matrix, margin: float, crop_width: int, crop_height: int, shape: CropShape
) -> Matrix:
    """N×3×3 pixel transforms of the crops that show N boxes.

    Args:
        boxes: N×5: centre x and y, width and height in pixels, angle in radians.
        margin: Factor of the boxes' sizes about their centres.
        crop_width: In pixels, like crop_height.
        crop_height: See above.
        shape: ``stretch`` or ``square``; see ``geometry.boxes.frame_from_crop``.

    Raises:
        ValueError: Not N×5, or a box without area.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(f"boxes have shape {boxes.shape}, expected (N, 5)")
    if not (np.isfinite(boxes).all() and (boxes[:, 2:4] > 0).all()):
        raise ValueError("a box is not finite or has no area, expected finite, positive sizes")
    scale = boxes[:, 2:4] * margin / [crop_width, crop_height]
    if shape == "square":
        scale = np.repeat(scale.max(axis=1, keepdims=True), 2, axis=1)
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    result = np.zeros((len(boxes), 3, 3))
    result[:, 0, 0], result[:, 0, 1] = cos * scale[:, 0], -sin * scale[:, 1]
    result[:, 1, 0], result[:, 1, 1] = sin * scale[:, 0], cos * scale[:, 1]
    result[:, :2, 2] = boxes[:, :2] - result[:, :2, :2] @ view_center(crop_width, crop_height)
    result[:, 2, 2] = 1
    return result
