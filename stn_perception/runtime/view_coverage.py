# SPDX-License-Identifier: Apache-2.0
"""Which part of a view shows the frame, exactly and without looking at pixels.

In the view's own coordinates every condition is a half-plane, also for a projective transform:
with (p, q, w) = frame_from_view · (x, y, 1), "in front" is w > 0 and "inside the frame" is
p >= -w/2, p <= (W - 1/2)·w and the same for q. So the visible part is a convex polygon.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.quads import polygon_area, polygon_areas

Matrix = NDArray[np.float64]
_IN_FRONT = 1e-9
# What rounding may leave of a view that lies outside.
_NOTHING = 1e-9


def visible_polygon(
    frame_from_view: Matrix,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
    border_px: float = 0.0,
) -> Matrix:
    """N×2 view coordinates of the part of the view that lies in the frame; N = 0 for none.

    Args:
        frame_from_view: 3×3 in pixels; w > 0 is in front of the camera.
        view_width: In pixels, like the other sizes.
        view_height: See above.
        frame_width: See above.
        frame_height: See above.
        border_px: How far the frame is taken to reach beyond its edges.
    """
    row_x, row_y, row_w = np.asarray(frame_from_view, dtype=np.float64)
    low = 0.5 + border_px
    high_x = frame_width - 0.5 + border_px
    high_y = frame_height - 0.5 + border_px
    behind = np.array([0.0, 0.0, _IN_FRONT * float(np.abs(row_w).max())])
    half_planes = np.array(
        [
            row_w - behind,
            row_x + low * row_w,
            high_x * row_w - row_x,
            row_y + low * row_w,
            high_y * row_w - row_y,
        ]
    )
    polygon = view_corners(view_width, view_height)
    if (polygon @ half_planes[:, :2].T + half_planes[:, 2] >= 0).all():
        return polygon
    for half_plane in half_planes:
        polygon = _clip(polygon, half_plane)
        if len(polygon) == 0:
            break
    return polygon


def valid_fraction(
    frame_from_view: Matrix,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
) -> float:
    """Share of the view's area that shows the frame, 0 to 1."""
    polygon = visible_polygon(frame_from_view, view_width, view_height, frame_width, frame_height)
    if len(polygon) < 3:
        return 0.0
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


def _clip(polygon: Matrix, half_plane: Matrix) -> Matrix:
    """The part of a convex polygon with half_plane · (x, y, 1) >= 0 (Sutherland-Hodgman)."""
    values = polygon @ half_plane[:2] + half_plane[2]
    if (values >= 0).all():
        return polygon
    points: list[Matrix] = []
    for index in range(len(polygon)):
        following = (index + 1) % len(polygon)
        here, there = values[index], values[following]
        if here >= 0:
            points.append(polygon[index])
        if (here >= 0) != (there >= 0):
            share = here / (here - there)
            points.append(polygon[index] + share * (polygon[following] - polygon[index]))
    return np.array(points).reshape(-1, 2)
