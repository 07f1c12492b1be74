# SPDX-License-Identifier: Apache-2.0
"""Quadrilaterals: 4×2 corners in pixels, top-left, top-right, bottom-right, bottom-left.

This order is clockwise on a screen, so areas are positive with y down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_corners, as_matrix3
from stn_perception.geometry.homography import transform_points
from stn_perception.geometry.pixels import view_corners


def polygon_area(polygon: ArrayLike) -> float:
    """Signed area of an N×2 polygon, positive where clockwise on a screen (y down)."""
    points = np.asarray(polygon, dtype=np.float64)
    if len(points) < 3:
        return 0.0
    x, y = (points - points[0]).T  # so that the first and the last term are zero
    return 0.5 * float(x[:-1] @ y[1:] - x[1:] @ y[:-1])


def quad_side_px(corners: ArrayLike) -> float:
    """Mean length of the four sides: what corner errors are set against."""
    quad = as_corners(corners)
    return float(np.linalg.norm(quad[[1, 2, 3, 0]] - quad, axis=1).mean())


def is_convex_clockwise(corners: ArrayLike) -> bool:
    """Whether the 4×2 corners are strictly convex, and clockwise on a screen."""
    quad = as_corners(corners)
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    # Four right turns add to one full turn (a quad cannot wind twice), so this suffices.
    return bool(np.isfinite(quad).all() and (turns > 0).all())


def quad_center(corners: ArrayLike) -> FloatArray:
    """Where the diagonals cross, (2,): the image of a rectangle's centre."""
    quad = as_corners(corners)
    first, second = quad[2] - quad[0], quad[3] - quad[1]
    part = np.linalg.solve(np.column_stack([first, -second]), quad[1] - quad[0])[0]
    return np.asarray(quad[0] + part * first)


def allowed_shifts(symmetry: int) -> tuple[int, ...]:
    """The cyclic corner shifts under which the canonical pose is ambiguous (card: symmetry)."""
    if symmetry not in (1, 2, 4):
        raise ValueError(f"symmetry is {symmetry}, expected 1, 2 or 4")
    return tuple(range(0, 4, 4 // symmetry))


def corner_error_px(predicted: ArrayLike, true: ArrayLike, symmetry: int = 1) -> tuple[float, int]:
    """Mean corner distance in pixels, the least over the allowed cyclic shifts, and the shift.

    ``predicted[i]`` is compared with ``true[(i + shift) % 4]``.
    """
    predicted_quad, true_quad = as_corners(predicted), as_corners(true)
    errors = [
        (
            float(np.linalg.norm(predicted_quad - np.roll(true_quad, -shift, 0), axis=1).mean()),
            shift,
        )
        for shift in allowed_shifts(symmetry)
    ]
    return min(errors)


def turn_view(
    frame_from_view: ArrayLike, width: float, height: float, quarter_turns: int
) -> FloatArray:
    """``frame_from_turned_view``: the same quad seen from another of its four sides.

    The new view's corner i lies where corner ``i + quarter_turns`` of the old one was, at the
    same view size: for a view that is not square this scales its axes.
    """
    turns = quarter_turns % 4
    half_width, half_height = width / 2, height / 2
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    cos, sin = (1, 0, -1, 0)[turns], (0, 1, 0, -1)[turns]
    old_from_new = np.eye(3)
    old_from_new[:2, :2] = (
        np.diag([half_width, half_height])
        @ np.array([[cos, -sin], [sin, cos]])
        @ np.diag([1 / half_width, 1 / half_height])
    )
    old_from_new[:2, 2] = center - old_from_new[:2, :2] @ center
    return as_matrix3(frame_from_view, "frame_from_view") @ old_from_new


def view_quad(frame_from_view: ArrayLike, width: float, height: float) -> FloatArray:
    """The view's four corners in the frame, 4×2 pixels; NaN where w <= 0."""
    return transform_points(frame_from_view, view_corners(width, height))


def convex_intersection(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Intersection of two convex clockwise polygons, N×2 (Sutherland and Hodgman 1974)."""
    polygon = np.asarray(first, dtype=np.float64)
    window = np.asarray(second, dtype=np.float64)
    for start, end in zip(window, np.roll(window, -1, axis=0), strict=True):
        if len(polygon) == 0:
            break
        edge = end - start
        offset = polygon - start
        side = edge[0] * offset[:, 1] - edge[1] * offset[:, 0]
        kept: list[FloatArray] = []
        for index in range(len(polygon)):
            here, there = side[index], side[(index + 1) % len(polygon)]
            if here >= 0:
                kept.append(polygon[index])
            if (here >= 0) != (there >= 0):
                step = polygon[(index + 1) % len(polygon)] - polygon[index]
                kept.append(polygon[index] + step * (here / (here - there)))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon
