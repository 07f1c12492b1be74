# SPDX-License-Identifier: Apache-2.0
"""Pinhole intrinsics of a rectified camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stn_perception.geometry.arrays import FloatArray


def _no_translation() -> FloatArray:
    return np.zeros(3)


@dataclass(frozen=True, eq=False)
class PinholeIntrinsics:
    """A rectified camera without distortion: pixel ~ matrix · X + translation_column.

    ``matrix`` is P[:, :3] of a CameraInfo (3×3, pixels) and ``translation_column`` P[:, 3], both
    already adjusted for binning and region of interest; ``width`` and ``height`` are those of
    the image as it arrives. X is a point in ``frame_id``, an optical frame (x right, y down, z
    forward).
    """

    matrix: FloatArray
    translation_column: FloatArray = field(default_factory=_no_translation)
    width: int = 0
    height: int = 0
    frame_id: str = ""

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        column = np.array(self.translation_column, dtype=np.float64)
        if matrix.shape != (3, 3) or column.shape != (3,):
            raise ValueError(
                f"intrinsics have shapes {matrix.shape} and {column.shape}, "
                "expected (3, 3) and (3,)"
            )
        if not (np.isfinite(matrix).all() and np.isfinite(column).all()):
            raise ValueError("intrinsics hold NaN or infinity")
        if not np.linalg.det(matrix) > 0:
            raise ValueError(f"intrinsics {matrix.tolist()} have no positive determinant")
        matrix.flags.writeable = False
        column.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "translation_column", column)

    @cached_property
    def optical_offset(self) -> FloatArray:
        """matrix⁻¹ · translation_column, metres: points of frame_id shift by it before K."""
        offset = np.linalg.solve(self.matrix, self.translation_column).astype(np.float64)
        offset.flags.writeable = False
        return offset
