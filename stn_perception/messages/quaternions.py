# SPDX-License-Identifier: Apache-2.0
"""Rotation matrices to and from quaternions (x, y, z, w), the order of geometry_msgs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry import FloatArray

_IDENTITY = np.eye(3)


# Entries of RᵀR this close to the identity's are a rotation's but for rounding.
_ROUNDING = 1e-9


def quaternion_from_matrix(rotation: ArrayLike) -> FloatArray:
    """Unit quaternion (4,) x, y, z, w with w >= 0 of a 3×3 rotation.

    From the largest of its four squares (Shepperd, 1978); for a matrix that is no rotation, the
    nearest one's, which is an eigenvector (Bar-Itzhack, 2000, method 2).
    """
    matrix = np.asarray(rotation, dtype=np.float64)
    if matrix.shape != (3, 3):
        raise ValueError(f"rotation has shape {matrix.shape}, expected (3, 3)")
    off = np.abs(matrix.T @ matrix - _IDENTITY).max()
    quaternion = _of_rotation(matrix) if off < _ROUNDING else _of_nearest(matrix)
    return -quaternion if quaternion[3] < 0 else quaternion


def _of_rotation(matrix: FloatArray) -> FloatArray:
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    squares = (1 + a - e - i, 1 - a + e - i, 1 - a - e + i, 1 + a + e + i)  # 4x², 4y², 4z², 4w²
    largest = squares.index(max(squares))
    rows = (
        (squares[0], b + d, c + g, h - f),
        (b + d, squares[1], f + h, c - g),
        (c + g, f + h, squares[2], d - b),
        (h - f, c - g, d - b, squares[3]),
    )
    row = np.array(rows[largest])
    return row / math.sqrt(float(row @ row))


def _of_nearest(r: FloatArray) -> FloatArray:
    symmetric = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    return np.asarray(np.linalg.eigh(symmetric)[1][:, -1], dtype=np.float64)


def matrix_from_quaternion(quaternion: ArrayLike) -> FloatArray:
    """3×3 rotation of a quaternion (4,) x, y, z, w of any length but zero."""
    array = np.asarray(quaternion, dtype=np.float64)
    norm = float(np.linalg.norm(array))
    if array.shape != (4,) or not 0 < norm < np.inf:
        raise ValueError(f"quaternion is {array.tolist()}, expected four numbers, not all zero")
    x, y, z, w = array / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
