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
from stn_perception.geometry.quads import polygon_area

Matrix = NDArray[np.float64]
_IN_FRONT = 1e-9


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
