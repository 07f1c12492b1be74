# SPDX-License-Identifier: Apache-2.0
"""Overlap of many pairs of convex quadrilaterals at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.quads import are_convex_clockwise, polygon_areas

Floats = NDArray[np.float64]
# Pairs worked on together: an outline grows to 64 points.
_BLOCK = 4096


def quad_overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of N pairs of quads, 0 to 1.

    Args:
        first: N×4×2 px, clockwise on a screen.
        second: likewise.

    Returns:
        N; NaN where a quad is not strictly convex, not clockwise or not finite.
    """
    result = np.full(len(first), np.nan)
    good = np.flatnonzero(are_convex_clockwise(first) & are_convex_clockwise(second))
    for start in range(0, len(good), _BLOCK):
        rows = good[start : start + _BLOCK]
        result[rows] = _overlaps(first[rows], second[rows])
    return result


def _overlaps(first: Floats, second: Floats) -> Floats:
    # Coordinates about a corner keep the precision of small quads far from the frame's origin.
    origin = second[:, :1]
    outline, window = first - origin, second - origin
    for side in range(4):
        outline = _cut(outline, window[:, side], window[:, (side + 1) % 4])
    shared = polygon_areas(outline)
    union = polygon_areas(first) + polygon_areas(second) - shared
    return np.asarray(np.clip(shared / union, 0.0, 1.0))


def _cut(outline: Floats, start: Floats, end: Floats) -> Floats:
    """Outlines N×2M×2 of what N×M×2 outlines hold to the right of a line each, N×2 to N×2.

    A point on the wrong side goes to the nearest point of the line. What the outline then walks
    along the line encloses nothing, so no point has to be taken away (the idea of Sutherland and
    Hodgman 1974 with outlines of one length).
    """
    edge = end - start
    normal = np.stack([-edge[:, 1], edge[:, 0]], axis=1)
    side = np.einsum("nmk,nk->nm", outline - start[:, None], normal)
    square = np.einsum("nk,nk->n", normal, normal)
    foot = outline - (side / square[:, None])[..., None] * normal[:, None]
    kept = np.where((side >= 0)[..., None], outline, foot)
    following, side_after = np.roll(outline, -1, axis=1), np.roll(side, -1, axis=1)
    crosses = (side >= 0) != (side_after >= 0)
    share = np.divide(side, side - side_after, out=np.zeros_like(side), where=crosses)
    crossing = outline + share[..., None] * (following - outline)
    after = np.where(crosses[..., None], crossing, kept)
    return np.stack([kept, after], axis=2).reshape(len(outline), -1, 2)
