# SPDX-License-Identifier: Apache-2.0
"""What an oriented box network learns from: corners up to half a turn, angles, the outline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.stn.oriented_box import OrientedBoxNetwork
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.strategies.corner_order import nearest_order
from stn_perception.training.strategies.likelihood import SIGMA_OF_LAPLACE

# Below this aspect the two axes are interchangeable for the error (not for the likelihood).
_SQUARE = 1.15


def nearest_turn(predicted: Tensor, truth: Tensor, quarters: bool = False) -> Tensor:
    """Return the truth's corners in the order that is nearest to the prediction, N×4×2.

    Args:
        predicted: N×4×2.
        truth: N×4×2, clockwise.
        quarters: whether quarter turns are allowed, or half turns only.
    """
    shifts = (0, -1, -2, -3) if quarters else (0, -2)
    return nearest_order(predicted, truth, shifts, _coordinate_distance)[0]


def _coordinate_distance(apart: Tensor) -> Tensor:
    """Return the mean difference of coordinates, which is what the loss minimises."""
    return apart.abs().mean(dim=(2, 3))


def _doubled(side: Tensor) -> Tensor:
    """Unit vectors of a side's doubled angle, N×2."""
    x, y = side[:, 0], side[:, 1]
    doubled = torch.stack([x * x - y * y, 2 * x * y], dim=1)
    unit: Tensor = doubled / doubled.norm(dim=1, keepdim=True).clamp(min=1e-6)
    return unit


def axis_error(predicted: Tensor, truth: Tensor) -> Tensor:
    """Return |sin| of the angle between the long sides, and between the short ones, N×2."""
    errors = []
    for a, b in ((1, 0), (3, 0)):
        found, wanted = predicted[:, a] - predicted[:, b], truth[:, a] - truth[:, b]
        errors.append((_doubled(found) - _doubled(wanted)).norm(dim=1) / 2)
    return torch.stack(errors, dim=1)


def box_loss(network: nn.Module, batch: Batch) -> StepResult:
    """Return the loss of one batch.

    Mean absolute corner error, negative logarithm of a Laplace likelihood (which fits the
    variances, Kendall and Gal 2017), the sine of the axes' error as far as the axes are defined,
    and cross entropy of the outline.

    Args:
        network: an ``OrientedBoxNetwork``.
        batch: with ``outline`` and ``aspect`` in ``extra``.
    """
    assert isinstance(network, OrientedBoxNetwork)
    aspect = batch.extra["aspect"]
    corners, log_variance, outline = network.box(batch.crops)
    target = nearest_turn(corners, batch.corners)
    error = (corners - target).abs()
    any_turn = nearest_turn(corners, batch.corners, quarters=True)
    square = (aspect < _SQUARE).reshape(-1, 1, 1)
    pulled = torch.where(square, (corners - any_turn).abs(), error)
    log_scale = 0.5 * log_variance.clamp(-14, 4) - torch.log(torch.tensor(SIGMA_OF_LAPLACE))
    likelihood = (error * torch.exp(-log_scale) + log_scale).mean(dim=(1, 2))
    defined = ((aspect - 1.08) / 0.3).clamp(0, 1).unsqueeze(1)
    turned = (axis_error(corners, batch.corners) * defined).sum(dim=1)
    found = nn.functional.binary_cross_entropy_with_logits(outline, batch.extra["outline"])
    weight = batch.weight
    per_crop = 10 * pulled.mean(dim=(1, 2)) + likelihood + 4 * turned
    loss = (weight * per_crop).sum() / weight.sum() + 4 * found
    sigma = torch.exp(0.5 * log_variance)
    figures = {
        "corner_error": error.mean(),
        "axis_error": turned.mean(),
        "outline_loss": found,
        "within_sigma": (error < sigma).float().mean(),
    }
    return StepResult(loss, {name: value.detach() for name, value in figures.items()})
