# SPDX-License-Identifier: Apache-2.0
"""A cost as a fixed part and a part for each unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CostLine:
    """cost = fixed + marginal · units, both at least 0, in milliseconds."""

    fixed_ms: float
    marginal_ms: float

    def at(self, units: float) -> float:
        """The cost of so many units in milliseconds."""
        return self.fixed_ms + self.marginal_ms * units


def cost_line(units: Sequence[float], cost_ms: Sequence[float]) -> CostLine:
    """The line of the least relative errors through costs, so that small ones count as well.

    Where the best line would have a negative part, that part is 0.

    Raises:
        ValueError: There are fewer than two different numbers of units.
    """
    at, cost = np.asarray(units, dtype=np.float64), np.asarray(cost_ms, dtype=np.float64)
    if len(np.unique(at)) < 2:
        raise ValueError(f"there are costs of {len(np.unique(at))} sizes, expected at least 2")
    relative = np.column_stack([np.ones(len(at)), at]) / cost[:, None]
    choices = []
    for used in ([0, 1], [0], [1]):
        parts = np.zeros(2)
        parts[used] = np.linalg.lstsq(relative[:, used], np.ones(len(at)), rcond=None)[0]
        if (parts >= 0).all():
            error = float(np.square(relative @ parts - 1.0).sum())
            choices.append((error, float(parts[0]), float(parts[1])))
    _, fixed, marginal = min(choices)
    return CostLine(fixed, marginal)
