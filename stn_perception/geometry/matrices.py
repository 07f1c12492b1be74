# SPDX-License-Identifier: Apache-2.0
"""Stacks of 3×3 matrices in closed form: for a few of them a factorization costs many times more.

All functions work on arrays ...×3×3 or ...×3 and look at no single item. The caller sees to it
that the matrices are far enough from singular.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray

_NEXT = np.array([1, 2, 0])
_AFTER = np.array([2, 0, 1])


def as_matrices3(matrices: ArrayLike, name: str = "transform") -> FloatArray:
    """Return ``matrices`` as float64 ...×3×3; raises ValueError for another shape."""
    array = np.asarray(matrices, dtype=np.float64)
    if array.shape[-2:] != (3, 3):
        raise ValueError(f"{name} has shape {array.shape}, expected (..., 3, 3)")
    return array


def cross(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first`` × ``second`` along the last axis, ...×3."""
    turned = first[..., _NEXT] * second[..., _AFTER] - first[..., _AFTER] * second[..., _NEXT]
    return np.asarray(turned)


def lengths(vectors: FloatArray) -> FloatArray:
    """Euclidean length along the last axis, which is kept: ...×1."""
    return np.sqrt(np.add.reduce(vectors * vectors, axis=-1, keepdims=True))


def cofactors(matrices: FloatArray) -> FloatArray:
    """Det · inverse, transposed, ...×3×3: the cross products of the rows."""
    return cross(matrices[..., _NEXT, :], matrices[..., _AFTER, :])


def determinants(matrices: FloatArray) -> FloatArray:
    """Determinants of shape (...)."""
    normals = cross(matrices[..., 1, :], matrices[..., 2, :])
    return np.asarray(np.add.reduce(matrices[..., 0, :] * normals, axis=-1))


def inverses(matrices: FloatArray) -> FloatArray:
    """Inverses ...×3×3, with the sign and the scale of the exact ones."""
    normals = cofactors(matrices)
    determinant = np.add.reduce(matrices[..., 0, :] * normals[..., 0, :], axis=-1)
    return np.asarray(np.swapaxes(normals, -1, -2) / determinant[..., None, None])


def orthonormal_columns(matrices: FloatArray) -> FloatArray:
    """The rotation Q of M = Q · U, U upper triangular with a positive diagonal, for det M > 0.

    The first column keeps its direction; the third is across the first two.
    """
    first, second = matrices[..., :, 0], matrices[..., :, 1]
    across = cross(first, second)
    first = first / lengths(first)
    across = across / lengths(across)
    return np.stack([first, cross(across, first), across], axis=-1)


def orthonormal_rows(matrices: FloatArray) -> FloatArray:
    """The rotation R of M = K · R, K upper triangular with a positive diagonal, for det M > 0.

    The last row keeps its direction; the first is across the last two.
    """
    last = matrices[..., 2, :]
    across = cross(matrices[..., 1, :], last)
    last = last / lengths(last)
    across = across / lengths(across)
    return np.stack([across, cross(last, across), last], axis=-2)
