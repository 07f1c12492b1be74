# SPDX-License-Identifier: Apache-2.0
"""How well learned angles agree with true ones, up to what nobody told the network.

Class labels do not say which way is up, so a transformer is free to choose an upright of its own:
one offset is fitted for each group of digits, the circular mean of learned minus true angle. What
is left after it is the error. A digit that looks the same after half a turn has its upright only
up to half a turn; its angles are compared modulo 180°.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

HALF_TURN_CLASSES = (0, 1, 8)


@dataclass(frozen=True, eq=False)
class Agreement:
    """Learned against true angles.

    Attributes:
        offset_rad: N, of each one's group.
        error_rad: N, what is left of the difference, within ±180°, or ±90° modulo half a turn.
        median_deg: Of the absolute error.
        r_squared: 1 - mean squared error / variance of the true angle; below 0 where the learned
            angle tells less than no angle at all.
        slope: Of the best line from true to learned angle, over those that are not compared modulo
            half a turn; 1 undoes every turn, 0 none.
    """

    offset_rad: Tensor
    error_rad: Tensor
    median_deg: float
    r_squared: float
    slope: float


def agreement(learned_rad: Tensor, true_rad: Tensor, groups: Tensor, half: Tensor) -> Agreement:
    """Compare angles up to an offset of each group.

    Args:
        learned_rad: N.
        true_rad: N.
        groups: int64 N, numbers from 0; each group has an offset of its own.
        half: bool N, compared modulo half a turn; equal within a group.
    """
    symmetry = torch.where(half, 2.0, 1.0).to(torch.float64)
    turns = symmetry * (learned_rad.double() - true_rad.double())
    offset = _circular_mean(turns, groups)
    error = _wrapped(turns - offset) / symmetry
    true = true_rad.double()
    spread = true - true.mean()
    variance = spread.square().mean()
    return Agreement(
        offset_rad=offset / symmetry,
        error_rad=error,
        median_deg=float(torch.rad2deg(error.abs().median())),
        r_squared=float(1 - error.square().mean() / variance),
        slope=_slope(true[~half], error[~half]),
    )


def half_turn_of(labels: Tensor) -> Tensor:
    """Whether digits of these classes look the same after half a turn, more or less."""
    return torch.isin(labels, torch.tensor(HALF_TURN_CLASSES))


def _slope(true: Tensor, error: Tensor) -> float:
    spread = true - true.mean()
    return float(1 + (error * spread).mean() / spread.square().mean())


def _circular_mean(angle: Tensor, groups: Tensor) -> Tensor:
    """Return each one's mean direction of its group, N."""
    count = int(groups.max()) + 1
    zero = torch.zeros(count, dtype=angle.dtype)
    sine, cosine = (zero.index_add(0, groups, part) for part in (angle.sin(), angle.cos()))
    return torch.atan2(sine, cosine)[groups]


def _wrapped(angle: Tensor) -> Tensor:
    return torch.atan2(angle.sin(), angle.cos())
