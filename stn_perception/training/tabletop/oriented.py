# SPDX-License-Identifier: Apache-2.0
"""What the oriented box of an object in a picture is, exactly.

The object's *outline* is the convex hull of its whole silhouette, hidden parts included. The box
lies along the principal axes of the outline's area (the eigenvectors of its second moments) and
is the smallest such box that holds the outline. So it is defined for every outline that has an
area, it changes steadily with the outline (a minimum-area rectangle may jump from one edge to
another), and it gives a parallel gripper the direction and the width to close along.

The hull stands for the silhouette because handles, gaps between a bicycle's tubes and the hollow
of an L should not turn the box, and because it follows exactly from the projected vertices of a
mesh, whatever hides them.

``aspect`` is the ratio of the outline's standard deviations along the two axes (for a rectangle
or an ellipse: of its sides). At 1 the angle is undefined. Angles are judged from
``ANGLE_DEFINED_FROM`` on; centre, size and calibration for every outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Below this the two axes of an outline are too alike to name one of them the long one: one
# percent of the outline's area moved at its end turns the axes of a 1.25 : 1 rectangle by 4°.
ANGLE_DEFINED_FROM = 1.25

Points = NDArray[np.float64]

_HALF_ROW = np.array([0, 0.5])


@dataclass(frozen=True)
class OrientedBox:
    """A box along an outline's principal axes.

    Attributes:
        centre: x and y of its middle, pixels.
        long_half, short_half: half sides along the first and the second axis, as vectors in
            pixels; clockwise by a quarter turn from the first to the second. Their signs are
            free together: a box has two turns that cannot be told apart.
        aspect: standard deviation of the outline along the first axis over the second's.
    """

    centre: Points
    long_half: Points
    short_half: Points
    aspect: float

    @property
    def angle_rad(self) -> float:
        """Of the first axis, from x towards y, modulo π, in [-π/2, π/2)."""
        angle = float(np.arctan2(self.long_half[1], self.long_half[0]))
        return (angle + np.pi / 2) % np.pi - np.pi / 2

    @property
    def corners(self) -> Points:
        """4×2: the corners of a view whose x runs along the first axis."""
        u, v = self.long_half, self.short_half
        return np.array([-u - v, u - v, u + v, -u + v]) + self.centre


def principal_angle(outline: Points) -> tuple[float, float]:
    """Return angle (radians, from x towards y) and aspect of a polygon's area.

    Args:
        outline: N×2, the polygon's corners in order.
    """
    centred = outline - outline.mean(axis=0)
    scale = max(float(np.abs(centred).max()), 1e-9)
    moments = cv2.moments((centred / scale).astype(np.float32))
    if moments["m00"] <= 1e-9:
        raise ValueError("the outline has no area, expected at least a triangle")
    xx, xy, yy = moments["mu20"], moments["mu11"], moments["mu02"]
    spread = float(np.hypot(xx - yy, 2 * xy))
    smaller = max((xx + yy - spread) / 2, 1e-12)
    return 0.5 * float(np.arctan2(2 * xy, xx - yy)), float(
        np.sqrt((xx + yy + spread) / 2 / smaller)
    )


def box_along(outline: Points, angle_rad: float, aspect: float) -> OrientedBox:
    """Return the smallest box at a given angle that holds the points."""
    along = np.array([np.cos(angle_rad), np.sin(angle_rad)])
    axes = np.array([along, (-along[1], along[0])])
    own = outline @ axes.T
    low, high = own.min(axis=0), own.max(axis=0)
    half = (high - low) / 2
    centre = (low + high) / 2 @ axes
    return OrientedBox(centre, axes[0] * half[0], axes[1] * half[1], aspect)


def oriented_box(outline: Points) -> OrientedBox:
    """Return the oriented box of a convex outline.

    Args:
        outline: N×2 in pixels, the hull's corners in order.

    Raises:
        ValueError: the outline has no area.
    """
    return box_along(outline, *principal_angle(outline))


def hull_of(points: Points) -> Points:
    """Return the convex hull of points, M×2 in order; ``points`` is N×2."""
    hull = cv2.convexHull(np.asarray(points, dtype=np.float32))
    return np.asarray(hull[:, 0], dtype=np.float64)


def outline_of_mask(mask: NDArray[np.bool_]) -> Points:
    """Return the convex outline of a mask's pixels, as areas: half a pixel round their centres.

    Args:
        mask: H×W; at least one pixel is set.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    left = np.stack([first - 0.5, rows], axis=1)
    right = np.stack([last + 0.5, rows], axis=1)
    ends = np.concatenate([left, right])
    return hull_of(np.concatenate([ends - _HALF_ROW, ends + _HALF_ROW]))


def angle_between(first_rad: float, second_rad: float) -> float:
    """Return how far two axes are apart, modulo 180°, radians in [0, π/2]."""
    apart = abs(first_rad - second_rad) % np.pi
    return float(min(apart, np.pi - apart))
