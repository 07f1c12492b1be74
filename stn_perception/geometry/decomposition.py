# SPDX-License-Identifier: Apache-2.0
"""Affine transforms as rotation · shear · scale, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.homography import InvalidTransformError


@dataclass(frozen=True)
class AffineParts:
    """The parts of A = R(angle) · [[1, shear], [0, 1]] · diag(scale_x, scale_y) and t.

    ``angle_rad`` is positive from +x towards +y (clockwise on a screen); scales are positive.
    """

    angle_rad: float
    shear: float
    scale_x: float
    scale_y: float
    translation_x: float
    translation_y: float


def decompose_affine(transform: ArrayLike) -> AffineParts:
    """Parts of an affine 2×3 or 3×3 transform.

    Raises InvalidTransformError where it is not finite, projective, mirrored or singular.
    """
    matrix = np.asarray(transform, dtype=np.float64)
    if matrix.shape not in ((2, 3), (3, 3)):
        raise ValueError(f"transform has shape {matrix.shape}, expected (2, 3) or (3, 3)")
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the transform holds NaN or infinity")
    if matrix.shape == (3, 3):
        matrix = _affine_rows(matrix)
    (a, b, tx), (c, d, ty) = matrix.tolist()
    determinant = a * d - b * c
    if abs(determinant) <= 1e-14 * (a * a + b * b + c * c + d * d):
        raise InvalidTransformError("singular", f"the affine part is singular: {matrix.tolist()}")
    if determinant < 0:
        raise InvalidTransformError("mirrored", "the affine part mirrors: determinant < 0")
    scale_x = math.hypot(a, c)
    scale_y = determinant / scale_x
    shear = (a * b + c * d) / (scale_x * scale_y)
    return AffineParts(math.atan2(c, a), shear, scale_x, scale_y, tx, ty)


def _affine_rows(matrix: FloatArray) -> FloatArray:
    if matrix[2, 2] == 0 or np.abs(matrix[2, :2]).max() > 1e-9 * abs(matrix[2, 2]):
        raise InvalidTransformError(
            "projective", f"the last row is {matrix[2].tolist()}, expected (0, 0, s)"
        )
    return np.asarray(matrix[:2] / matrix[2, 2])


def recompose_affine(parts: AffineParts) -> FloatArray:
    """The 3×3 transform of ``parts``: the inverse of :func:`decompose_affine`."""
    cos, sin = math.cos(parts.angle_rad), math.sin(parts.angle_rad)
    rotation = np.array([[cos, -sin], [sin, cos]])
    shear_scale = np.array([[parts.scale_x, parts.shear * parts.scale_y], [0.0, parts.scale_y]])
    result = np.eye(3)
    result[:2, :2] = rotation @ shear_scale
    result[:2, 2] = parts.translation_x, parts.translation_y
    return result
