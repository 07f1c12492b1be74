# SPDX-License-Identifier: Apache-2.0
"""The turn of quadrilaterals, and how two turns differ where a quarter turn changes nothing."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.stn.corner_heatmaps import turn_of_corners

QUARTER = np.pi / 2


def turn_rad(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the phase of the corners' first harmonic, N, radians (see ``turn_of_corners``).

    Args:
        corners: N×4×2, clockwise on the screen.
    """
    return np.asarray(turn_of_corners(torch.from_numpy(corners)).numpy(), dtype=np.float64)


def quarter_difference(first: Tensor, second: Tensor) -> Tensor:
    """Return ``first - second`` modulo a quarter turn, in [-45°, 45°), radians."""
    return torch.remainder(first - second + QUARTER / 2, QUARTER) - QUARTER / 2
