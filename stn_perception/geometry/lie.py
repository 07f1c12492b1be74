# SPDX-License-Identifier: Apache-2.0
"""Logarithm, exponential and interpolation of homographies in SL(3).

A homography scaled to determinant 1 is an element of SL(3); its logarithm is a 3×3 matrix of
trace 0 in which averaging and interpolation make sense. Method: inverse scaling and squaring
(Higham 2008, Functions of Matrices, chapter 11) with Denman and Beavers' square root.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_matrix3
from stn_perception.geometry.homography import InvalidTransformError

_IDENTITY = np.eye(3)
_MAX_ROOTS = 40
_NEGATIVE_REAL = 1e-7


def log_sl3(transform: ArrayLike) -> FloatArray:
    """Principal logarithm, 3×3 of trace 0, of a homography of positive determinant.

    Raises InvalidTransformError where there is none: not finite, mirrored or singular, or with
    an eigenvalue on the negative real axis (a half turn).
    """
    root = _unit_determinant(transform)
    eigenvalues = np.linalg.eigvals(root)
    opposite = np.abs(np.angle(eigenvalues)) > np.pi - _NEGATIVE_REAL
    if opposite.any():
        raise InvalidTransformError("no_logarithm", "the transform is a half turn: no logarithm")
    doublings = 0
    while np.abs(root - _IDENTITY).sum(axis=0).max() > 0.05:
        if doublings == _MAX_ROOTS:
            raise InvalidTransformError("no_logarithm", "the transform's logarithm diverges")
        root = _square_root(root)
        doublings += 1
    # log X = 2 artanh(Y), Y = (X - I)(X + I)⁻¹; seven odd terms reach 1e-24 at |X - I| = 0.05.
    step = np.linalg.solve((root + _IDENTITY).T, (root - _IDENTITY).T).T
    square = step @ step
    series = _IDENTITY / 13
    for odd in (11, 9, 7, 5, 3, 1):
        series = series @ square + _IDENTITY / odd
    logarithm = 2.0 * (step @ series) * 2.0**doublings
    return np.asarray(logarithm - _IDENTITY * np.trace(logarithm) / 3)


def exp_sl3(logarithm: ArrayLike) -> FloatArray:
    """Exponential of a 3×3 matrix of trace 0: a homography of determinant 1."""
    matrix = as_matrix3(logarithm, "logarithm")
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the logarithm holds NaN or infinity")
    norm = float(np.abs(matrix).sum(axis=0).max())
    squarings = max(0, int(np.ceil(np.log2(norm / 0.1)))) if norm > 0.1 else 0
    scaled = matrix / 2.0**squarings
    result = _IDENTITY.copy()
    for term in range(11, 0, -1):
        result = _IDENTITY + scaled @ result / term
    for _ in range(squarings):
        result = result @ result
    return np.asarray(result)


def interpolate_homography(start: ArrayLike, end: ArrayLike, alpha: float) -> FloatArray:
    """The homography a part ``alpha`` of the way from ``start`` (0) to ``end`` (1).

    start · exp(alpha · log(start⁻¹ · end)): independent of the frame's and the view's axes. The
    result has ``start``'s scale of determinant 1 and its sign. Raises as :func:`log_sl3`.
    """
    first = _unit_determinant(start)
    between = np.linalg.solve(first, _unit_determinant(end))
    return np.asarray(first @ exp_sl3(alpha * log_sl3(between)))


def _unit_determinant(transform: ArrayLike) -> FloatArray:
    matrix = as_matrix3(transform)
    if not np.isfinite(matrix).all():
        raise InvalidTransformError("not_finite", "the transform holds NaN or infinity")
    determinant = float(np.linalg.det(matrix))
    if determinant <= 0:
        raise InvalidTransformError(
            "mirrored" if determinant < 0 else "singular",
            f"the transform's determinant is {determinant:.3g}, expected a positive one",
        )
    return np.asarray(matrix / np.cbrt(determinant))


def _square_root(matrix: FloatArray) -> FloatArray:
    root, inverse_root = matrix, _IDENTITY.copy()
    for _ in range(60):
        next_root = 0.5 * (root + np.linalg.inv(inverse_root))
        inverse_root = 0.5 * (inverse_root + np.linalg.inv(root))
        change = float(np.abs(next_root - root).max())
        root = next_root
        if change <= 1e-15 * max(1.0, float(np.abs(root).max())):
            break
    return root
