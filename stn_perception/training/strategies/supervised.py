# SPDX-License-Identifier: Apache-2.0
"""Learning from exact corners."""

from __future__ import annotations

from torch import nn

from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork, labelled_for_heads
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.strategies.corner_order import symmetric_error
from stn_perception.training.strategies.likelihood import chosen_corners, corner_loss


class Supervised:
    """Exact corners: absolute error, and a likelihood that teaches the network its own error.

    Each head learns where its labelling is not near its tear, the selector which head that is.
    """

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch (see ``Strategy.step``)."""
        assert isinstance(network, CornerHeatmapNetwork)
        predicted, log_variance, head_a = network.both_heads(batch.crops)
        corners, within = corner_loss(predicted, log_variance, batch.corners, batch.weight)
        _, cosine = labelled_for_heads(batch.corners)
        choice = nn.functional.binary_cross_entropy_with_logits(head_a, 0.5 + 0.5 * cosine)
        chosen = chosen_corners(predicted, head_a)
        figures = {
            "corner_error": symmetric_error(chosen, batch.corners).mean(),
            "within_sigma": within,
            "choice_loss": choice,
        }
        return StepResult(
            corners + choice, {name: value.detach() for name, value in figures.items()}
        )
