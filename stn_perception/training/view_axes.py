# SPDX-License-Identifier: Apache-2.0
"""Normalised axes of a crop or a view: its corners, its cells, and what lies where in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The corners, 4×2, clockwise from the top left.
SQUARE: Floats = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def cell_centres(count: int) -> Floats:
    """Return where the centres of so many pixels or cells lie along one axis."""
    return np.asarray((np.arange(count) * 2 + 1) / count - 1, dtype=np.float64)


def projected(a_from_b: Floats, points: Floats) -> Floats:
    """Apply homographies to points, also to points beyond the horizon.

    A label's corner may lie there in a crop along a bad estimate, and still counts as an error:
    `geometry.transform_points` says NaN of such points.

    Args:
        a_from_b: 3×3, or N×3×3.
        points: K×2 of b, or N×K×2.

    Returns:
        K×2 of a, or N×K×2.
    """
    turned = np.swapaxes(a_from_b[..., :2], -1, -2)
    lifted = points @ turned + a_from_b[..., None, :, 2]
    return np.asarray(lifted[..., :2] / lifted[..., 2:], dtype=np.float64)
