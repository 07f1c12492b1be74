# SPDX-License-Identifier: Apache-2.0
"""Rotations as 3×3 matrices and rotation vectors (radians about fixed axes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_matrix3

_IDENTITY = np.eye(3)


def cross_matrix(vector: ArrayLike) -> FloatArray:
    """[v]× 3×3, so that ``cross_matrix(a) @ b`` is a × b."""
    return cross_matrices(np.asarray(vector, dtype=np.float64))


def rotation_from_vector(vector: ArrayLike) -> FloatArray:
    """Rotation 3×3 by |v| radians about v (Rodrigues)."""
    return rotations_from_vectors(np.asarray(vector, dtype=np.float64))


def cross_matrices(vectors: FloatArray) -> FloatArray:
    """[v]× of each of ...×3 vectors, ...×3×3."""
    result = np.zeros((*vectors.shape[:-1], 3, 3))
    result[..., (2, 0, 1), (1, 2, 0)] = vectors
    result[..., (1, 2, 0), (2, 0, 1)] = -vectors
    return result


def rotations_from_vectors(vectors: FloatArray) -> FloatArray:
    """``rotation_from_vector`` of each of ...×3 vectors, ...×3×3."""
    crosses = cross_matrices(vectors)
    angles = np.sqrt(np.add.reduce(np.square(vectors), axis=-1))[..., None, None]
    is_small = angles < 1e-8
    safe = np.where(is_small, 1.0, angles)
    first = np.where(is_small, 1.0, np.sin(safe) / safe)
    second = np.where(is_small, 0.5, (1.0 - np.cos(safe)) / np.square(safe))
    return np.asarray(_IDENTITY + first * crosses + second * (crosses @ crosses))


def vector_from_rotation(rotation: ArrayLike) -> FloatArray:
    """Rotation vector (3,) of a rotation of less than half a turn."""
    matrix = as_matrix3(rotation, "rotation")
    cosine = np.clip((np.trace(matrix) - 1) / 2, -1, 1)
    axis = np.array(
        [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    )
    sine = float(np.linalg.norm(axis)) / 2
    angle = float(np.arctan2(sine, cosine))
    return axis / 2 if sine < 1e-12 else np.asarray(axis / (2 * sine) * angle)


def nearest_rotation(matrix: ArrayLike) -> FloatArray:
    """The proper rotation nearest to a 3×3 matrix (orthogonal Procrustes)."""
    left, _, right = np.linalg.svd(as_matrix3(matrix, "matrix"))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray(left * signs @ right)
