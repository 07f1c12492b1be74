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
from stn_perception.geometry.matrices import as_matrices3, cofactors

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
    frame's pixel (0, 0) may well lie behind a view's plane. Stacks ...×3×3 are inverted one by
    one.
    """
    matrix = as_matrices3(transform)
    normals = cofactors(matrix)
    determinant = np.add.reduce(matrix[..., 0, :] * normals[..., 0, :], axis=-1)
    # |det| = s0 · s1 · s2 <= s0² · s2 and s0 <= norm: far from singular without looking closer.
    square = np.add.reduce(np.square(matrix), axis=(-2, -1))
    if (np.abs(determinant) > 1e-12 * square**1.5).all():
        return np.asarray(np.swapaxes(normals, -1, -2) / determinant[..., None, None])
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the transform holds NaN or infinity")
    if matrix.size:
        singular_values = np.linalg.svd(matrix, compute_uv=False)
        if (singular_values[..., 2] <= 1e-15 * singular_values[..., 0]).any():
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
    """Map N×2 points of b by ``a_from_b`` to N×2 points of a; NaN where w <= 0.

    Stacks of transforms (...×3×3), of points (...×N×2) or of both give ...×N×2.
    """
    matrix = as_matrices3(transform)
    array = np.asarray(points, dtype=np.float64)
    if array.ndim < 2 or array.shape[-1] != 2:
        raise ValueError(f"points have shape {array.shape}, expected (N, 2) or a stack of such")
    mapped = array @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
    weight = mapped[..., 2:]
    if (weight > 0).all():
        return np.asarray(mapped[..., :2] / weight)
    result = np.full((*mapped.shape[:-1], 2), np.nan)
    np.divide(mapped[..., :2], weight, out=result, where=weight > 0)
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
    """2×2 derivative d(a) / d(b) of ``a_from_b`` at one point (2,) of b.

    Stacks of transforms (...×3×3), of points (...×2) or of both give ...×2×2.
    """
    matrix = as_matrices3(transform)
    at = np.asarray(point, dtype=np.float64)
    mapped = (matrix[..., :2] @ at[..., None])[..., 0] + matrix[..., 2]
    weight = mapped[..., 2:]
    if not np.abs(weight).min(initial=np.inf) > 0:
        places = np.broadcast_to(at, (*mapped.shape[:-1], 2)).reshape(-1, 2)
        x, y = places[int((~(np.abs(weight) > 0)).ravel().argmax())]
        raise InvalidTransformError("folded", f"point ({x}, {y}) maps to infinity")
    image = mapped[..., :2] / weight
    bend = image[..., :, None] * matrix[..., 2:, :2]
    return np.asarray((matrix[..., :2, :2] - bend) / weight[..., None])
