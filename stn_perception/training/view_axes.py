# SPDX-License-Identifier: Apache-2.0
"""Normalised axes of a crop or a view: its corners and the centres of its cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The corners, 4×2, clockwise from the top left.
SQUARE: Floats = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def cell_centres(count: int) -> Floats:
    """Return where the centres of so many pixels or cells lie along one axis."""
    return np.asarray((np.arange(count) * 2 + 1) / count - 1, dtype=np.float64)
