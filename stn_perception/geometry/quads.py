# SPDX-License-Identifier: Apache-2.0
"""Quadrilaterals: 4×2 corners in pixels, top-left, top-right, bottom-right, bottom-left.

This order is clockwise on a screen, so areas are positive with y down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stn_perception.geometry.arrays import FloatArray, as_corners, as_matrix3
from stn_perception.geometry.homography import transform_points
from stn_perception.geometry.pixels import view_corners

_FOLLOWING = np.array([1, 2, 3, 0])


def polygon_area(polygon: ArrayLike) -> float:
    """Signed area of an N×2 polygon, positive where clockwise on a screen (y down)."""
    points = np.asarray(polygon, dtype=np.float64)
    return float(polygon_areas(points)) if len(points) >= 3 else 0.0


def polygon_areas(polygons: FloatArray) -> FloatArray:
    """Signed areas (...) of ...×N×2 polygons, N >= 3, positive where clockwise on a screen."""
    points = polygons - polygons[..., :1, :]  # so that the first and the last term are zero
    x, y = points[..., 0], points[..., 1]
    terms = x[..., 1:-1] * y[..., 2:] - x[..., 2:] * y[..., 1:-1]
    return np.asarray(0.5 * np.add.reduce(terms, axis=-1))


def quad_side_px(corners: ArrayLike) -> float:
    """Mean length of the four sides: what corner errors are set against."""
    return float(quad_sides_px(as_corners(corners)))


def quad_sides_px(corners: FloatArray) -> FloatArray:
    """The mean length of the four sides of each of ...×4×2 quads, (...)."""
    sides = corners[..., _FOLLOWING, :] - corners
    return np.asarray(np.hypot(sides[..., 0], sides[..., 1]).mean(axis=-1))


def is_convex_clockwise(corners: ArrayLike) -> bool:
    """Whether the 4×2 corners are strictly convex, and clockwise on a screen."""
    return bool(are_convex_clockwise(as_corners(corners)))


def are_convex_clockwise(corners: FloatArray) -> NDArray[np.bool_]:
    """Which of ...×4×2 quads are strictly convex, and clockwise on a screen, (...)."""
    edges = corners[..., _FOLLOWING, :] - corners
    following = edges[..., _FOLLOWING, :]
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    # Four right turns add to one full turn (a quad cannot wind twice), so this suffices.
    right: NDArray[np.bool_] = np.logical_and.reduce((turns > 0) & np.isfinite(turns), axis=-1)
    return right


def quad_center(corners: ArrayLike) -> FloatArray:
    """Where the diagonals cross, (2,): the image of a rectangle's centre."""
    return quad_centers(as_corners(corners))


def quad_centers(quads: FloatArray) -> FloatArray:
    """Where the diagonals of each of ...×4×2 quads cross, ...×2; NaN where they are parallel."""
    first = quads[..., 2, :] - quads[..., 0, :]
    second = quads[..., 3, :] - quads[..., 1, :]
    offset = quads[..., 1, :] - quads[..., 0, :]
    area = _cross(first, second)
    part = np.divide(
        _cross(offset, second), area, out=np.full(area.shape, np.nan), where=area != 0
    )
    return np.asarray(quads[..., 0, :] + part[..., None] * first)


def allowed_shifts(symmetry: int) -> tuple[int, ...]:
    """The cyclic corner shifts under which the canonical pose is ambiguous (card: symmetry)."""
    if symmetry not in (1, 2, 4):
        raise ValueError(f"symmetry is {symmetry}, expected 1, 2 or 4")
    return tuple(range(0, 4, 4 // symmetry))


def corner_error_px(predicted: ArrayLike, true: ArrayLike, symmetry: int = 1) -> tuple[float, int]:
    """Mean corner distance in pixels, the least over the allowed cyclic shifts, and the shift.

    ``predicted[i]`` is compared with ``true[(i + shift) % 4]``.
    """
    allowed_shifts(symmetry)
    quads = as_corners(predicted)[None], as_corners(true)[None]
    errors, shifts = corner_errors_px(*quads, np.array([symmetry]))
    return float(errors[0]), int(shifts[0])


def corner_errors_px(
    predicted: FloatArray, true: FloatArray, symmetry: NDArray[np.int64]
) -> tuple[FloatArray, NDArray[np.int64]]:
    """``corner_error_px`` of N pairs of quads N×4×2 with N symmetries: N errors and N shifts.

    NaN, with shift 0, where a corner is not finite.
    """
    distances = np.stack([predicted - np.roll(true, -shift, axis=1) for shift in range(4)], axis=1)
    errors = np.hypot(distances[..., 0], distances[..., 1]).mean(axis=2)
    allowed = np.arange(4) % (4 // symmetry)[:, None] == 0
    known = np.isfinite(errors).all(axis=1)
    candidates = np.where(allowed & known[:, None], errors, np.inf)
    shifts = candidates.argmin(axis=1)
    least = candidates[np.arange(len(errors)), shifts]
    return np.where(known, least, np.nan), shifts


def turn_view(
    frame_from_view: ArrayLike, width: float, height: float, quarter_turns: int
) -> FloatArray:
    """``frame_from_turned_view``: the same quad seen from another of its four sides.

    The new view's corner i lies where corner ``i + quarter_turns`` of the old one was, at the
    same view size: for a view that is not square this scales its axes.
    """
    return as_matrix3(frame_from_view, "frame_from_view") @ view_from_turned_view(
        width, height, quarter_turns
    )


def view_from_turned_view(width: float, height: float, quarter_turns: int) -> FloatArray:
    """3×3 pixel transform from the view whose corner i is corner ``i + quarter_turns`` of this."""
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
    return old_from_new


def view_quad(frame_from_view: ArrayLike, width: float, height: float) -> FloatArray:
    """The view's four corners in the frame, 4×2 pixels; NaN where w <= 0.

    A stack of transforms (...×3×3) gives ...×4×2.
    """
    return transform_points(frame_from_view, view_corners(width, height))


def frame_from_view_of_quad(corners: FloatArray, width: float, height: float) -> FloatArray:
    """The transforms ...×3×3 whose W × H views have the ...×4×2 corners in the frame.

    For strictly convex quads, clockwise on a screen; w is 1 on the average over the corners.
    (Heckbert 1989, Fundamentals of Texture Mapping and Image Warping, section 2.2.3.)
    """
    origin, right, opposite, down = (corners[..., corner, :] for corner in range(4))
    first, second = right - opposite, down - opposite
    excess = origin - right - second
    area = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    tilt_x = (excess[..., 0] * second[..., 1] - excess[..., 1] * second[..., 0]) / area
    tilt_y = (first[..., 0] * excess[..., 1] - first[..., 1] * excess[..., 0]) / area
    frame_from_unit = np.empty((*corners.shape[:-2], 3, 3))
    frame_from_unit[..., :2, 0] = right - origin + tilt_x[..., None] * right
    frame_from_unit[..., :2, 1] = down - origin + tilt_y[..., None] * down
    frame_from_unit[..., :2, 2] = origin
    frame_from_unit[..., 2, 0] = tilt_x
    frame_from_unit[..., 2, 1] = tilt_y
    frame_from_unit[..., 2, 2] = 1.0
    frame_from_unit /= (1.0 + (tilt_x + tilt_y) / 2)[..., None, None]
    unit_from_view = np.array(
        [[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]]
    )
    return np.asarray(frame_from_unit @ unit_from_view)


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


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    return np.asarray(first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0])
