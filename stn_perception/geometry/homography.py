# SPDX-License-Identifier: Apache-2.0
"""Homographies of the plane: 3×3 float64 matrices in pixels, named ``a_from_b``.

Convention: ``a_from_b @ [x_b, y_b, 1]`` is a homogeneous point of ``a``. The sign of a matrix
matters: a point is in front of the camera where its third component w is positive.
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_corners, as_matrix3
from stn_perception.geometry.pixels import view_center, view_corners

_SMALLEST_AREA_PX = 1e-6
_SINGULAR_RELATIVE = 1e-12


class InvalidTransformError(ValueError):
    """A transform cannot be used; ``reason`` names the kind in one lower_snake word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def compose(*transforms: ArrayLike) -> FloatArray:
    """Product of 3×3 transforms, read like the names: ``compose(a_from_b, b_from_c)``."""
    if not transforms:
        return np.eye(3)
    return reduce(np.matmul, [as_matrix3(transform) for transform in transforms])


def invert(transform: ArrayLike) -> FloatArray:
    """``b_from_a`` of ``a_from_b``; raises InvalidTransformError if singular.

    Sign and scale are those of the exact inverse, so that what was in front stays in front: the
    frame's pixel (0, 0) may well lie behind a view's plane.
    """
    matrix = as_matrix3(transform)
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the transform holds NaN or infinity")
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    if singular_values[2] <= 1e-15 * singular_values[0]:
        raise InvalidTransformError("singular", "the transform is singular: it has no inverse")
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def normalize_homography(transform: ArrayLike) -> FloatArray:
    """Scale a 3×3 transform to H[2, 2] = 1, or to |det H| = 1 where H[2, 2] is zero.

    With H[2, 2] = 1 the source's pixel (0, 0) has w > 0: right for a view or a crop as the
    source, but not always for a frame. Raises InvalidTransformError where neither scale exists.
    """
    matrix = as_matrix3(transform)
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the transform holds NaN or infinity")
    largest = float(np.abs(matrix).max())
    if abs(matrix[2, 2]) > 1e-14 * largest:
        return np.asarray(matrix / matrix[2, 2])
    determinant = float(np.linalg.det(matrix))
    if determinant == 0:
        raise InvalidTransformError("singular", "the transform is singular and H[2, 2] is zero")
    return np.asarray(matrix / np.cbrt(determinant))


def transform_points(transform: ArrayLike, points: ArrayLike) -> FloatArray:
    """Map N×2 points of b by ``a_from_b`` to N×2 points of a; NaN where w <= 0."""
    matrix = as_matrix3(transform)
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points have shape {array.shape}, expected (N, 2)")
    mapped = array @ matrix[:, :2].T + matrix[:, 2]
    weight = mapped[:, 2:]
    if (weight > 0).all():
        return np.asarray(mapped[:, :2] / weight)
    result = np.full_like(array, np.nan)
    np.divide(mapped[:, :2], weight, out=result, where=weight > 0)
    return result


def homography_from_corners(target: ArrayLike, source: ArrayLike) -> FloatArray:
    """``target_from_source`` that maps 4×2 source corners exactly onto 4×2 target corners.

    Closed form by projective bases (Hartley and Zisserman 2004, section 2.2), on axes
    normalised to zero mean and unit size. w is positive at all four source corners where the
    two quads are both convex and of one orientation. Raises InvalidTransformError where three
    corners lie on one line.
    """
    target_basis, target_norm = _projective_basis(as_corners(target, "target corners"))
    source_basis, source_norm = _projective_basis(as_corners(source, "source corners"))
    core = target_basis @ np.linalg.inv(source_basis)
    matrix = np.linalg.inv(target_norm) @ core @ source_norm
    weights = as_corners(source) @ matrix[2, :2] + matrix[2, 2]
    return np.asarray(matrix / weights.mean() if abs(weights.mean()) > 0 else matrix)


def _projective_basis(corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    if not np.isfinite(corners).all():
        raise InvalidTransformError("not_finite", "a corner is NaN or infinite")
    center = corners.mean(axis=0)
    size = float(np.abs(corners - center).max())
    if size == 0:
        raise InvalidTransformError("degenerate", "the four corners are one point")
    normalize = np.array([[1, 0, -center[0]], [0, 1, -center[1]], [0, 0, size]]) / size
    points = np.column_stack([(corners - center) / size, np.ones(4)]).T
    first_three = points[:, :3]
    if abs(np.linalg.det(first_three)) < _SINGULAR_RELATIVE:
        raise InvalidTransformError("degenerate", "three of the four corners lie on one line")
    factors = np.linalg.solve(first_three, points[:, 3])
    if np.abs(factors).min() < _SINGULAR_RELATIVE:
        raise InvalidTransformError("degenerate", "three of the four corners lie on one line")
    return first_three * factors, normalize


def jacobian_at(transform: ArrayLike, point: ArrayLike) -> FloatArray:
    """2×2 derivative d(a) / d(b) of ``a_from_b`` at one point (2,) of b."""
    matrix = as_matrix3(transform)
    x, y = np.asarray(point, dtype=np.float64)
    mapped = matrix @ np.array([x, y, 1.0])
    if not abs(mapped[2]) > 0:
        raise InvalidTransformError("folded", f"point ({x}, {y}) maps to infinity")
    image = mapped[:2] / mapped[2]
    return np.asarray((matrix[:2, :2] - np.outer(image, matrix[2, :2])) / mapped[2])


def check_view_transform(frame_from_view: ArrayLike, width: int, height: int) -> None:
    """Raise InvalidTransformError unless the transform shows a W × H view of a plane.

    Refused (``reason``): ``not_finite``; ``folded``: w <= 0 somewhere in the view, which folds
    points from behind the camera into the picture; ``mirrored``: the view would be read from
    behind; ``singular`` and ``degenerate``: the view covers no area of the frame.
    """
    matrix = as_matrix3(frame_from_view, "frame_from_view")
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "frame_from_view holds NaN or infinity")
    corners = view_corners(width, height)
    center_weight = matrix[2, :2] @ view_center(width, height) + matrix[2, 2]
    # Both signs of a matrix are the same transform: judge it with the view's centre in front.
    signed = matrix * np.sign(center_weight) if center_weight else matrix
    weights = corners @ signed[2, :2] + signed[2, 2]
    if weights.min() <= _SINGULAR_RELATIVE * np.abs(weights).max():
        raise InvalidTransformError(
            "folded", "frame_from_view folds behind the camera: w <= 0 within the view"
        )
    determinant = float(np.linalg.det(signed / np.abs(signed).max()))
    if determinant == 0:
        raise InvalidTransformError("singular", "frame_from_view is singular")
    if determinant < 0:
        raise InvalidTransformError("mirrored", "frame_from_view mirrors the view")
    quad = transform_points(signed, corners)
    first, second = quad[2] - quad[0], quad[3] - quad[1]
    area = 0.5 * float(first[0] * second[1] - first[1] * second[0])  # by the diagonals
    extent = float(np.ptp(quad, axis=0).max())
    if not np.isfinite(area) or area < max(_SMALLEST_AREA_PX, 1e-9 * extent**2):
        raise InvalidTransformError(
            "degenerate", f"the view covers {area:.3g} square pixels of the frame"
        )
