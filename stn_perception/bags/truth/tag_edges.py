# SPDX-License-Identifier: Apache-2.0
"""The corners of a fiducial to a fraction of a pixel: where straight lines along its sides cross.

A fiducial's outline is a step from black to white. The step is looked for along normals of each
side, a line is put through the places found, and neighbouring lines cross at the corners. On
rendered tags this is several times closer than OpenCV's own refinements (docs/truth.md).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import FloatArray, is_convex_clockwise, polygon_area

_ROUNDS = 8
_DONE_PX = 0.01
_STEP_PX = 0.25
_FIRST_REACH_PX = 2.5
_SHORTEST_SIDE_PX = 6.0
# Of the border's width: a normal must not reach the pattern inside.
_REACH_OF_BORDER = 0.5
_LEAST_REACH_PX, _LARGEST_REACH_PX = 1.25, 3.0
# A side is found where this share of its normals shows a step of this share of the median one.
_SHARE_OF_NORMALS, _SHARE_OF_STEP = 0.5, 0.3
_LEAST_STEP = 8.0
_LINE_ROUNDS = 3
_LEAST_DEVIATION_PX = 0.02
_SIDES = np.arange(4)


def refined_corners(gray: NDArray[np.uint8], corners: FloatArray, cells: int) -> FloatArray | None:
    """The corners of a fiducial's black outline, 4×2 pixels in pixel-centre coordinates.

    Args:
        gray: H×W.
        corners: 4×2, roughly (to two pixels), clockwise on a screen.
        cells: How many cells the fiducial has along a side, its black border included.

    Returns:
        The corners in the order given; None where a side shows no clear step.
    """
    quad = np.asarray(corners, dtype=np.float64)
    for round in range(_ROUNDS):
        if not is_convex_clockwise(quad):
            return None
        lengths = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
        if lengths.min() < _SHORTEST_SIDE_PX:
            return None
        border_px = polygon_area(quad) / (lengths.max() * cells)
        reach = float(np.clip(_REACH_OF_BORDER * border_px, _LEAST_REACH_PX, _LARGEST_REACH_PX))
        lines = _side_lines(
            gray, quad, lengths, max(reach, _FIRST_REACH_PX) if not round else reach
        )
        if lines is None:
            return None
        crossings = np.cross(np.roll(lines, 1, axis=0), lines)
        if not (np.abs(crossings[:, 2]) > 0).all():
            return None
        previous, quad = quad, crossings[:, :2] / crossings[:, 2:]
        if np.abs(quad - corners).max() > 2 * _FIRST_REACH_PX:
            return None
        if np.abs(quad - previous).max() < _DONE_PX:
            break
    return quad


def _side_lines(
    gray: NDArray[np.uint8], quad: FloatArray, lengths: FloatArray, reach_px: float
) -> FloatArray | None:
    """Homogeneous lines 4×3 along the sides that start at each corner."""
    along = (np.roll(quad, -1, axis=0) - quad) / lengths[:, None]
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    # Close to a corner a normal would meet the other side.
    ends = np.minimum(reach_px + 0.5, 0.25 * lengths)
    count = int(np.clip(lengths.mean(), 12, 96))
    places = ends[:, None] + np.linspace(0, 1, count) * (lengths - 2 * ends)[:, None]
    offsets = np.arange(-reach_px, reach_px + 1e-9, _STEP_PX)
    starts = quad[:, None] + places[..., None] * along[:, None]
    points = (starts[:, :, None] + offsets[:, None] * outward[:, None, None]).astype(np.float32)
    flat = points.reshape(4 * count, len(offsets), 2)
    profiles = cv2.remap(
        gray, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(4, count, len(offsets))
    rises = np.maximum(np.diff(profiles.astype(np.float64), axis=2), 0.0)
    steps = rises.sum(axis=2)
    usable = steps > np.maximum(_SHARE_OF_STEP * np.median(steps, axis=1)[:, None], _LEAST_STEP)
    if (usable.mean(axis=1) < _SHARE_OF_NORMALS).any():
        return None
    middles = (offsets[1:] + offsets[:-1]) / 2
    heights = np.where(usable, (rises @ middles) / np.maximum(steps, _LEAST_STEP), 0.0)
    first, last = _line_ends(places, heights, usable, lengths)
    begin = quad + first[:, None] * outward
    end = np.roll(quad, -1, axis=0) + last[:, None] * outward
    ones = np.ones((4, 1))
    return np.asarray(np.cross(np.hstack([begin, ones]), np.hstack([end, ones])))


def _line_ends(
    places: FloatArray, heights: FloatArray, usable: NDArray[np.bool_], lengths: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Heights of robust lines (Huber's weights) at both ends of each side."""
    weights = usable.astype(np.float64)
    middle = usable.sum(axis=1) // 2
    for _ in range(_LINE_ROUNDS):
        total = weights.sum(axis=1, keepdims=True)
        mean_place = (weights * places).sum(axis=1, keepdims=True) / total
        mean_height = (weights * heights).sum(axis=1, keepdims=True) / total
        far = places - mean_place
        slope = (weights * far * (heights - mean_height)).sum(axis=1, keepdims=True) / (
            weights * far**2
        ).sum(axis=1, keepdims=True)
        off = np.abs(heights - mean_height - slope * far)
        typical = np.sort(np.where(usable, off, np.inf), axis=1)[_SIDES, middle][:, None]
        bound = 2.0 * np.maximum(typical, _LEAST_DEVIATION_PX)
        weights = usable * np.minimum(1.0, bound / np.maximum(off, 1e-12))
    start = mean_height - slope * mean_place
    return start[:, 0], (start + slope * lengths[:, None])[:, 0]
