# SPDX-License-Identifier: Apache-2.0
"""Rotation matrices to and from quaternions (x, y, z, w), the order of geometry_msgs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry import FloatArray


def quaternion_from_matrix(rotation: ArrayLike) -> FloatArray:
    """Unit quaternion (4,) x, y, z, w with w >= 0 of a 3×3 rotation.

    The eigenvector of Bar-Itzhack (2000), method 2: exact for a rotation, and the nearest one's
    for a matrix that is slightly off.
    """
    r = np.asarray(rotation, dtype=np.float64)
    if r.shape != (3, 3):
        raise ValueError(f"rotation has shape {r.shape}, expected (3, 3)")
    symmetric = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], np.trace(r)],
        ]
    )
    quaternion = np.linalg.eigh(symmetric)[1][:, -1]
    return np.asarray(-quaternion if quaternion[3] < 0 else quaternion, dtype=np.float64)


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
