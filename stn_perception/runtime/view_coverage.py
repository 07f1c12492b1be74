# SPDX-License-Identifier: Apache-2.0
"""How much of a view shows the frame, exactly and without looking at pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.quads import polygon_area, polygon_areas
from stn_perception.runtime.seen_part import seen_part

Matrix = NDArray[np.float64]
# What rounding may leave of a view that lies outside.
_NOTHING = 1e-9


def valid_fraction(
    frame_from_view: Matrix,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
) -> float:
    """Share of the view's area that shows the frame, 0 to 1."""
    transform = np.ascontiguousarray(frame_from_view, dtype=np.float64)
    count, xs, ys = seen_part(transform, view_width, view_height, frame_width, frame_height, 0.0)
    polygon = np.column_stack([xs[:count], ys[:count]])
    share = polygon_area(polygon) / (view_width * view_height)
    return float(min(1.0, max(0.0, share)))


def are_inside(corners: Matrix, frame_sizes: Matrix) -> NDArray[np.bool_]:
    """Which of N×4×2 quads in pixels lie wholly in frames of N×2 (or 1×2) pixels."""
    low = np.minimum.reduce(corners, axis=1)
    high = np.maximum.reduce(corners, axis=1)
    inside: NDArray[np.bool_] = ((low >= -0.5) & (high <= frame_sizes - 0.5)).all(axis=1)
    return inside


def valid_fractions(
    frame_from_view: Matrix,
    corners: Matrix,
    view_width: int,
    view_height: int,
    frame_sizes: Matrix,
) -> Matrix:
    """``valid_fraction`` of N views that lie in front of the camera, (N,).

    Args:
        frame_from_view: N×3×3 in pixels.
        corners: N×4×2, where the views' corners lie in the frame.
        view_width: In pixels, like the other sizes.
        view_height: See above.
        frame_sizes: N×2, or 1×2 for all: width and height.
    """
    inside = are_inside(corners, frame_sizes)
    fractions = np.ones(len(corners))
    if not inside.all():
        partial = np.flatnonzero(~inside)
        sizes = np.broadcast_to(frame_sizes, (len(corners), 2))[partial]
        area = _areas_inside(frame_from_view[partial], view_width, view_height, sizes)
        shares = area / (view_width * view_height)
        fractions[partial] = np.where(shares > _NOTHING, np.minimum(shares, 1.0), 0.0)
    return fractions


def _areas_inside(
    frame_from_view: Matrix, view_width: int, view_height: int, frame_sizes: Matrix
) -> Matrix:
    """Area (N,) of the part of each view that lies in the frame, in square view pixels.

    Moving all points outside a half-plane straight onto its edge changes nothing inside and
    leaves no area outside, so it takes the outline of a polygon to an outline around the
    polygon's part in the half-plane. A straight piece is cut where it crosses the edge.
    """
    row_xy, row_w = frame_from_view[:, :2], frame_from_view[:, 2:]
    high = (frame_sizes[:, :, None] - 0.5) * row_w - row_xy
    planes = np.concatenate([row_xy + 0.5 * row_w, high], axis=1)
    corners = view_corners(view_width, view_height)
    values = planes[:, :, :2] @ corners.T + planes[:, :, 2:]
    outside = (values < 0).all(axis=2).any(axis=1)
    outline = np.broadcast_to(corners, (len(planes), 4, 2))
    for plane in np.flatnonzero((values < 0).any(axis=(0, 2))):
        outline = _moved_inside(outline, planes[:, plane])
    return np.where(outside, 0.0, polygon_areas(outline))


def _moved_inside(outline: Matrix, planes: Matrix) -> Matrix:
    """Outlines N×2M×2 around the part of outlines N×M×2 with plane · (x, y, 1) >= 0."""
    normals = planes[:, None, :2]
    values = (outline @ planes[:, :2, None])[..., 0] + planes[:, 2:]
    following = np.roll(values, -1, axis=1)
    squared = np.add.reduce(np.square(normals), axis=2)
    # Without a slope all of a view is on one side: nothing to move, and all or nothing to count.
    depth = np.minimum(values, 0.0) / np.where(squared > 0, squared, 1.0)
    moved = outline - depth[..., None] * normals
    crosses = (values >= 0) != (following >= 0)
    share = values / np.where(crosses, values - following, 1.0)
    step = np.roll(outline, -1, axis=1) - outline
    cut = np.where(crosses[..., None], outline + share[..., None] * step, moved)
    return np.stack([moved, cut], axis=2).reshape(len(outline), -1, 2)
