# SPDX-License-Identifier: Apache-2.0
"""The loss of corners: absolute error and a likelihood, for both heads of the network."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn.corner_heatmaps import labelled_for_heads

# The factor from the mean absolute error of a Laplace distribution to the half width that holds
# 68.27 % of it: -ln(1 - 0.6827).
SIGMA_OF_LAPLACE = 1.1478


def head_weights(cosine: Tensor) -> Tensor:
    """Return how much each head learns, N×2: 0 at its tear, 1 well before the other takes over.

    Args:
        cosine: N, of four times the turn (see ``labelled_for_heads``).
    """
    nearness = torch.stack([cosine, -cosine], dim=1)
    return ((nearness + 0.8) / 0.5).clamp(0, 1)


def corner_loss(
    predicted: Tensor, log_variance: Tensor, corners: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the mean loss of corners, and the share of coordinates within one sigma.

    The mean absolute error keeps pulling on crops the network finds hard; the negative logarithm
    of a Laplace likelihood sharpens those it finds easy and fits the predicted variance (Kendall
    and Gal 2017). Both grow linearly with the error: a gross one pulls no harder than a small one.

    Args:
        predicted: N×2×4×2, corners of each head in normalised crop axes.
        log_variance: like ``predicted``.
        corners: N×4×2, clockwise, starting anywhere; finite.
        weight: N, 0 leaves a crop out.
    """
    target, cosine = labelled_for_heads(corners)
    error = (predicted - target).abs()
    log_scale = 0.5 * log_variance - torch.log(torch.tensor(SIGMA_OF_LAPLACE))
    likelihood = error * torch.exp(-log_scale) + log_scale
    per_head = (10 * error + likelihood).mean(dim=[2, 3])
    weights = head_weights(cosine) * weight.unsqueeze(1)
    total = weights.sum().clamp_min(1e-6)
    inside = (error < torch.exp(0.5 * log_variance)).float().mean(dim=[2, 3])
    return (weights * per_head).sum() / total, (weights * inside).sum() / total


def chosen_corners(predicted: Tensor, head_a: Tensor) -> Tensor:
    """Return the corners of the head that the network trusts, N×4×2."""
    return torch.where((head_a > 0).reshape(-1, 1, 1), predicted[:, 0], predicted[:, 1])
