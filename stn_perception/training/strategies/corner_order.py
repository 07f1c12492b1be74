# SPDX-License-Identifier: Apache-2.0
"""Where the truth's list of corners starts, when nothing in the picture says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def corner_distance(apart: Tensor) -> Tensor:
    """Return the mean distance of corners, N×K, from their differences, N×K×4×2."""
    distance: Tensor = apart.norm(dim=3).mean(dim=2)
    return distance


def nearest_order(
    predicted: Tensor,
    truth: Tensor,
    shifts: Sequence[int] = (0, 1, 2, 3),
    distance_of: Callable[[Tensor], Tensor] = corner_distance,
) -> tuple[Tensor, Tensor]:
    """Start the truth's corners where the prediction starts.

    Args:
        predicted: N×4×2, clockwise.
        truth: N×4×2, clockwise, starting anywhere that is a shift away.
        shifts: K, by how many corners the list may be rolled.
        distance_of: says how far apart corners are, N×K, from their differences, N×K×4×2.

    Returns:
        truth, N×4×2, in the order nearest to the prediction; its distance, N.
    """
    turned = torch.stack([truth.roll(shift, dims=1) for shift in shifts], dim=1)
    smallest, best = distance_of(predicted.unsqueeze(1) - turned).min(dim=1)
    return turned[torch.arange(len(truth), device=truth.device), best], smallest


def symmetric_error(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return the mean corner distance, N, smallest over where the truth's list may start.

    Args:
        predicted: N×4×2.
        truth: N×4×2, clockwise.
    """
    return nearest_order(predicted, truth)[1]
