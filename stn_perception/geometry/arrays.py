# SPDX-License-Identifier: Apache-2.0
"""Array types and shape checks shared by the geometry room."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
AnyFloatArray = NDArray[np.floating[Any]]


def as_matrix3(matrix: ArrayLike, name: str = "transform") -> FloatArray:
    """Return ``matrix`` as float64 3×3; raises ValueError for another shape."""
    array = np.asarray(matrix, dtype=np.float64)
    if array.shape != (3, 3):
        raise ValueError(f"{name} has shape {array.shape}, expected (3, 3)")
    return array


def as_corners(corners: ArrayLike, name: str = "corners") -> FloatArray:
    """Return ``corners`` as float64 4×2; raises ValueError for another shape."""
    array = np.asarray(corners, dtype=np.float64)
    if array.shape != (4, 2):
        raise ValueError(f"{name} have shape {array.shape}, expected (4, 2)")
    return array


def check_size(width: float, height: float, name: str = "view") -> None:
    """Raise ValueError unless both sides are positive and finite."""
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(f"{name} size is {width} × {height}, expected two positive numbers")
