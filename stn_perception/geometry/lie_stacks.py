# SPDX-License-Identifier: Apache-2.0
"""Interpolation of many homographies at once: the twin of ``lie.interpolate_homography``.

The same methods as there. Items that have no way between them are replaced by the identity on
the way, and named in the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.matrices import determinants, inverses

Mask = NDArray[np.bool_]

_IDENTITY = np.eye(3)
_NEAR_IDENTITY = 0.05
_MAX_ROOTS = 40
_NEGATIVE_REAL = 1e-7
_LARGEST_EXPONENT = 0.1


def interpolate_homographies(
    start: FloatArray, end: FloatArray, alpha: float | FloatArray
) -> tuple[FloatArray, Mask]:
    """The homographies a part ``alpha`` of the way from ``start`` (0) to ``end`` (1), N×3×3.

    Returns:
        The homographies, and which of them exist (N,): not where a transform is not finite,
        mirrored or singular, or the way is half a turn.
    """
    first, is_first = _unit_determinants(start)
    second, is_second = _unit_determinants(end)
    between = inverses(first) @ second
    logarithms, has_way = _logarithms(between)
    return first @ _exponentials(alpha * logarithms), is_first & is_second & has_way


def _unit_determinants(transforms: FloatArray) -> tuple[FloatArray, Mask]:
    finite: Mask = np.logical_and.reduce(np.isfinite(transforms), axis=(1, 2))
    known = np.where(finite[:, None, None], transforms, _IDENTITY)
    determinant = determinants(known)
    usable: Mask = finite & (determinant > 0)
    if not usable.all():
        known = np.where(usable[:, None, None], known, _IDENTITY)
        determinant = np.where(usable, determinant, 1.0)
    return known / np.cbrt(determinant)[:, None, None], usable


def _logarithms(transforms: FloatArray) -> tuple[FloatArray, Mask]:
    """Principal logarithms of matrices of determinant 1, by inverse scaling and squaring."""
    angles = np.abs(np.angle(np.linalg.eigvals(transforms)))
    has_way: Mask = np.logical_and.reduce(angles <= np.pi - _NEGATIVE_REAL, axis=1)
    roots = np.where(has_way[:, None, None], transforms, _IDENTITY)
    scale = np.ones(len(roots))
    for _ in range(_MAX_ROOTS):
        far = np.abs(roots - _IDENTITY).sum(axis=1).max(axis=1) > _NEAR_IDENTITY
        if not far.any():
            break
        roots[far] = _square_roots(roots[far])
        scale[far] *= 2.0
    else:
        has_way &= ~far
        roots[far] = _IDENTITY
    step = (roots - _IDENTITY) @ inverses(roots + _IDENTITY)
    square = step @ step
    series = np.broadcast_to(_IDENTITY / 13, roots.shape)
    for odd in (11, 9, 7, 5, 3, 1):
        series = series @ square + _IDENTITY / odd
    logarithms = 2.0 * (step @ series) * scale[:, None, None]
    traces = np.trace(logarithms, axis1=1, axis2=2)
    return logarithms - _IDENTITY * (traces / 3)[:, None, None], has_way


def _square_roots(matrices: FloatArray) -> FloatArray:
    """Denman and Beavers' iteration."""
    roots, inverse_roots = matrices, np.broadcast_to(_IDENTITY, matrices.shape)
    for _ in range(60):
        following = 0.5 * (roots + np.linalg.inv(inverse_roots))
        inverse_roots = 0.5 * (inverse_roots + np.linalg.inv(roots))
        change = np.abs(following - roots).max(axis=(1, 2))
        roots = following
        if (change <= 1e-15 * np.maximum(1.0, np.abs(roots).max(axis=(1, 2)))).all():
            break
    return roots


def _exponentials(logarithms: FloatArray) -> FloatArray:
    norm = float(np.abs(logarithms).sum(axis=1).max(initial=0.0))
    squarings = (
        max(0, int(np.ceil(np.log2(norm / _LARGEST_EXPONENT)))) if norm > _LARGEST_EXPONENT else 0
    )
    scaled = logarithms / 2.0**squarings
    result = np.broadcast_to(_IDENTITY, logarithms.shape)
    for term in range(11, 0, -1):
        result = _IDENTITY + scaled @ result / term
    for _ in range(squarings):
        result = result @ result
    return result
