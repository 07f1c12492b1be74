# SPDX-License-Identifier: Apache-2.0
"""The best quadrilateral that a label alone describes, to compare a network with."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.labels.makers import WeakLabels
from stn_perception.training.view_axes import SQUARE

Floats = NDArray[np.float64]


def quads_of(labels: WeakLabels) -> Floats:
    """Return N×4×2 in pixels: the known corners, else a rectangle with the known angle and box.

    A box without an angle is the rectangle itself.
    """
    centre = (labels.box[:, :2] + labels.box[:, 2:]) / 2
    size = labels.box[:, 2:] - labels.box[:, :2]
    angle = np.nan_to_num(labels.angle)
    filled = np.array([_inscribed(*values) for values in zip(centre, size, angle, strict=True)])
    return np.where(np.isnan(labels.corners), filled, labels.corners)


def _inscribed(centre: Floats, size: Floats, angle: float) -> Floats:
    """Return the rectangle turned by ``angle`` whose bounding box has centre and size."""
    c, s = np.cos(angle), np.sin(angle)
    # Near 45° every aspect has nearly the same box: a little pull towards a square settles it.
    extents = np.array([(abs(c), abs(s)), (abs(s), abs(c))])
    pull = 0.05 * np.array([(1.0, -1.0)])
    sides = np.linalg.lstsq(np.concatenate([extents, pull]), np.append(size, 0.0), rcond=None)[0]
    turn = np.array([(c, -s), (s, c)])
    return np.asarray((SQUARE * np.maximum(sides, 0.0) / 2) @ turn.T + centre)


def overlaps(first: Floats, second: Floats) -> Floats:
    """Return intersection over union of the convex hulls of quadrilaterals, N×4×2 each."""
    return np.array([_overlap(a, b) for a, b in zip(first, second, strict=True)])


def _overlap(first: Floats, second: Floats) -> float:
    one, other = (cv2.convexHull(quad.astype(np.float32)) for quad in (first, second))
    common, _ = cv2.intersectConvexConvex(one, other)
    union = cv2.contourArea(one) + cv2.contourArea(other) - common
    return float(common / union) if union > 0 else 0.0
