# SPDX-License-Identifier: Apache-2.0
"""Losses that do not let a few pixels of other content decide (Huber 1964; Beaton, Tukey 1974)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class RobustLoss(Protocol):
    """A loss of residuals in robust standard deviations."""

    def weight(self, residual: Tensor) -> Tensor:
        """How much each counts in the reweighted least squares, in [0, 1]."""

    def value(self, residual: Tensor) -> Tensor:
        """The loss itself, whose derivative is weight · residual."""


@dataclass(frozen=True)
class Huber:
    """Quadratic up to a limit, then linear."""

    limit: float

    def weight(self, residual: Tensor) -> Tensor:
        """1 up to the limit, then falling."""
        return (self.limit / residual.abs().clamp_min(1e-12)).clamp_max(1.0)

    def value(self, residual: Tensor) -> Tensor:
        """Half the square, then linear."""
        size = residual.abs()
        beyond = self.limit * (size - 0.5 * self.limit)
        return torch.where(size <= self.limit, 0.5 * size.square(), beyond)


@dataclass(frozen=True)
class Tukey:
    """The biweight: beyond the limit a residual counts nothing."""

    limit: float

    def weight(self, residual: Tensor) -> Tensor:
        """From 1 at no residual to 0 at the limit."""
        return (1 - (residual / self.limit).square()).clamp_min(0.0).square()

    def value(self, residual: Tensor) -> Tensor:
        """From half the square to a constant."""
        left = (1 - (residual / self.limit).square()).clamp_min(0.0)
        return self.limit**2 / 6 * (1 - left**3)
