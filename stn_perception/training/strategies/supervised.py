# SPDX-License-Identifier: Apache-2.0
"""Learning from exact corners."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork, labelled_for_heads
from stn_perception.training.batch import Batch, StepResult

# The factor from the mean absolute error of a Laplace distribution to the half width that holds
# 68.27 % of it: -ln(1 - 0.6827).
SIGMA_OF_LAPLACE = 1.1478


class Supervised:
    """Exact corners: absolute error, and a likelihood that teaches the network its own error.

    The corner loss is the mean absolute error plus the negative logarithm of a Laplace
    likelihood; the first keeps pulling on crops the network finds hard, the second sharpens those
    it finds easy and fits the predicted variance (Kendall and Gal 2017). Each head learns where
    its labelling is not near its tear, the selector which head that is.
    """

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch (see ``Strategy.step``)."""
        assert isinstance(network, CornerHeatmapNetwork)
        predicted, log_variance, head_a = network.both_heads(batch.crops)
        target, cosine = labelled_for_heads(batch.corners)
        error = (predicted - target).abs()
        log_scale = 0.5 * log_variance - torch.log(torch.tensor(SIGMA_OF_LAPLACE))
        likelihood = error * torch.exp(-log_scale) + log_scale
        per_head = (10 * error + likelihood).mean(dim=[2, 3])
        # From 0 at the tear to 1 well before the turn at which the other head takes over.
        nearness = torch.stack([cosine, -cosine], dim=1)
        weight = ((nearness + 0.8) / 0.5).clamp(0, 1)
        corner_loss = (weight * per_head).sum() / weight.sum()
        choice_loss = nn.functional.binary_cross_entropy_with_logits(head_a, 0.5 + 0.5 * cosine)
        chosen = torch.where((head_a > 0).reshape(-1, 1, 1), predicted[:, 0], predicted[:, 1])
        sigma = torch.exp(0.5 * log_variance)
        inside = (error < sigma).float().mean(dim=[2, 3])
        figures = {
            "corner_error": symmetric_error(chosen, batch.corners).mean(),
            "within_sigma": (weight * inside).sum() / weight.sum(),
            "choice_loss": choice_loss,
        }
        return StepResult(
            corner_loss + choice_loss, {name: value.detach() for name, value in figures.items()}
        )


def symmetric_error(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return the mean corner distance, N, smallest over where the truth's list may start.

    Args:
        predicted: N×4×2.
        truth: N×4×2, clockwise.
    """
    turned = torch.stack([truth.roll(shift, dims=1) for shift in range(4)], dim=1)
    distances = (predicted.unsqueeze(1) - turned).norm(dim=3).mean(dim=2)
    smallest: Tensor = distances.min(dim=1).values
    return smallest
