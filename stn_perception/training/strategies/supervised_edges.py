# SPDX-License-Identifier: Apache-2.0
"""Learning to move coarse corners onto the object's edges, from exact corners."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import unit_contrast
from stn_perception.stn.edge_lines import ends_of_corners, projected
from stn_perception.stn.edge_refinement import REACH_ACROSS
from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.stn.transforms import theta_from_corners
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.strategies.corner_order import nearest_order
from stn_perception.training.strategies.likelihood import SIGMA_OF_LAPLACE

# Mean corner error, in half crops, beyond which no strip can show the edge.
_LOST = 0.3
# An edge farther away than this, in half sides, pulls no stronger.
_FARTHEST = 0.6


class SupervisedEdges:
    """Exact corners for the edge refiner; the heat maps in front of it are frozen.

    Errors are those of each edge's two ends, in half sides of the view that the heat maps found:
    absolute error, the same in every column of the strip, and a Laplace likelihood that fits the
    predicted variance.
    """

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch (see ``Strategy.step``)."""
        assert isinstance(network, QuadNetwork)
        with torch.no_grad():
            crops = unit_contrast(batch.crops)
            coarse = network.coarse(crops).float()
            truth, distance = nearest_order(coarse, batch.corners)
            found = distance < _LOST
            if not found.any():
                raise ValueError(
                    f"the heat maps find none of the {len(coarse)} objects of a batch, expected "
                    "a trained initial checkpoint"
                )
        crops, truth = crops[found], truth[found]
        theta = theta_from_corners(coarse[found])
        true_ends = ends_of_corners(projected(_inverted(theta), truth))
        refiner = network.edges
        strips = refiner.strips(crops, theta)
        ends, log_variance, columns = refiner.lines(strips)
        true_ends = true_ends.reshape(-1, 2)
        error = (ends - true_ends).abs().clamp(max=_FARTHEST)
        log_scale = 0.5 * log_variance - math.log(SIGMA_OF_LAPLACE)
        likelihood = (error * torch.exp(-log_scale) + log_scale).mean()
        middle, slope = true_ends.mean(dim=1, keepdim=True), true_ends.diff(dim=1) / 2
        true_columns = middle + slope * refiner.along
        visible = (true_columns.abs() < REACH_ACROSS).float()
        in_columns = ((columns - true_columns).abs() * visible).mean()
        loss = 10 * error.mean() + 5 * in_columns + 0.5 * likelihood
        figures = {
            "end_error": error.mean(),
            "column_error": in_columns,
            "within_sigma": (error < torch.exp(0.5 * log_variance)).float().mean(),
        }
        return StepResult(loss, {name: value.detach() for name, value in figures.items()})


def _inverted(theta: Tensor) -> Tensor:
    """Return the inverse homographies by their adjugates, scaled to a last entry of 1."""
    a, b, c = theta[:, 0], theta[:, 1], theta[:, 2]
    columns = [torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)]
    adjugate = torch.stack(columns, dim=2)
    last = adjugate[:, 2:, 2:]
    return adjugate / torch.where(last.abs() < 1e-8, torch.full_like(last, 1e-8), last)
