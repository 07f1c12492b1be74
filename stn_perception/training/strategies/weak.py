# SPDX-License-Identifier: Apache-2.0
"""Learning from labels that are wrong or know only a part, until better than they are.

Two crops of one scene under known random warps are predicted. Each is compared with the part that
the label knows, and with the other one's prediction, carried over by the warps. Errors of the
labels that do not follow from the picture cannot be learned, so the most likely corners stay.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stn_perception.stn.corner_heatmaps import (
    CornerHeatmapNetwork,
    labelled_for_heads,
    turn_of_corners,
)
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.labels.angles import quarter_difference
from stn_perception.training.labels.config import WeakConfig
from stn_perception.training.strategies.likelihood import (
    chosen_corners,
    corner_loss,
    head_weights,
)
from stn_perception.training.strategies.supervised import symmetric_error

# Corners beyond the crop cannot be seen, and not be said by a soft-argmax over it.
_REACH = 1.1
_SQUARE = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


class _Pairs(NamedTuple):
    """Both crops of N scenes, the first N before their twins.

    Attributes:
        predicted: 2N×2×4×2, both heads' corners in crop axes.
        log_variance: like ``predicted``.
        head_a: 2N.
        object_from_crop: 2N×3×3.
    """

    predicted: Tensor
    log_variance: Tensor
    head_a: Tensor
    object_from_crop: Tensor


class Weak:
    """Corners where they are known, else angle and box; and two crops that agree.

    Args:
        config: weight of the agreement.
    """

    def __init__(self, config: WeakConfig) -> None:
        self.config = config

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch of ``weak_batch`` (see ``Strategy.step``)."""
        assert isinstance(network, CornerHeatmapNetwork)
        crops = torch.cat([batch.crops, batch.extra["twin"]])
        matrices = torch.cat([batch.extra["object_from_crop"], batch.extra["object_from_twin"]])
        pairs = _Pairs(*network.both_heads(crops), matrices)
        weight = batch.weight.repeat(2)
        named = _named(pairs, batch)
        _, cosine = labelled_for_heads(named)
        known, within = _label_loss(pairs, batch, weight, cosine)
        twins, agreement = _consistency(pairs)
        choice = nn.functional.binary_cross_entropy_with_logits(
            pairs.head_a, 0.5 + 0.5 * cosine, weight=weight
        )
        loss = known + self.config.consistency * twins + choice
        figures = {"label_loss": known, "twin_error": agreement, "choice_loss": choice}
        if within is not None:
            figures["within_sigma"] = within
        return StepResult(loss, {name: value.detach() for name, value in figures.items()})


def carried(matrices: Tensor, points: Tensor) -> Tensor:
    """Apply homographies N×3×3 to points N×K×2."""
    ones = torch.ones_like(points[..., :1])
    found = torch.cat([points, ones], dim=2) @ matrices.transpose(1, 2)
    # Random warps are mild; a denominator near 0 belongs to a point far outside the crop.
    return found[..., :2] / found[..., 2:].clamp_min(0.05)


def _label_loss(
    pairs: _Pairs, batch: Batch, weight: Tensor, cosine: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Return the loss against what the labels know, and the coverage where corners are known."""
    if not torch.isnan(batch.corners).any():
        first = carried(batch.extra["object_from_crop"], batch.corners).repeat(2, 1, 1)
        corners = carried(torch.linalg.inv(pairs.object_from_crop), first)
        seen = (corners.abs().amax(dim=[1, 2]) < _REACH).float()
        return corner_loss(pairs.predicted, pairs.log_variance, corners, weight * seen)
    both = pairs.object_from_crop.repeat_interleave(2, dim=0)
    heads = carried(both, pairs.predicted.flatten(0, 1)).unflatten(0, (-1, 2))
    weights = head_weights(cosine) * weight.unsqueeze(1)
    per_head = _box_error(heads, batch.extra["box"]) + _angle_error(heads, batch.extra["angle"])
    return 10 * (weights * per_head).sum() / weights.sum().clamp_min(1e-6), None


def _box_error(heads: Tensor, box: Tensor) -> Tensor:
    """Return how far the bounding box of each head's corners, 2N×2×4×2, is off, 2N×2."""
    found = torch.cat([heads.amin(dim=2), heads.amax(dim=2)], dim=2)
    error = (found - box.repeat(2, 1).unsqueeze(1)).abs().mean(dim=2)
    return torch.nan_to_num(error)


def _angle_error(heads: Tensor, angle: Tensor) -> Tensor:
    """Return how far the turn of each head's corners, 2N×2×4×2, is off, 2N×2, radians."""
    turns = turn_of_corners(heads.flatten(0, 1)).reshape(-1, 2)
    known = ~torch.isnan(angle).repeat(2).unsqueeze(1)
    target = torch.nan_to_num(angle).repeat(2).unsqueeze(1)
    return quarter_difference(turns, target).abs() * known


def _named(pairs: _Pairs, batch: Batch) -> Tensor:
    """Return the corners, 2N×4×2 in crop axes, that say which head is far from its tear.

    The label's where it has corners; else the network's own, turned by what the label says.
    """
    if not torch.isnan(batch.corners).any():
        first = carried(batch.extra["object_from_crop"], batch.corners).repeat(2, 1, 1)
        return carried(torch.linalg.inv(pairs.object_from_crop), first)
    own = chosen_corners(pairs.predicted, pairs.head_a).detach()
    angle = batch.extra["angle"].repeat(2)
    placed = carried(pairs.object_from_crop, own)
    turn = torch.nan_to_num(quarter_difference(angle, turn_of_corners(placed)))
    centre = placed.mean(dim=1, keepdim=True)
    c, s = turn.cos().reshape(-1, 1), turn.sin().reshape(-1, 1)
    x, y = (placed - centre).unbind(dim=2)
    turned = torch.stack([c * x - s * y, s * x + c * y], dim=2) + centre
    return carried(torch.linalg.inv(pairs.object_from_crop), turned)


def _consistency(pairs: _Pairs) -> tuple[Tensor, Tensor]:
    """Return the loss against the other crop's prediction, and the mean corner error to it."""
    own = chosen_corners(pairs.predicted, pairs.head_a)
    placed = carried(pairs.object_from_crop, own.detach())
    other = carried(torch.linalg.inv(pairs.object_from_crop), placed.roll(len(placed) // 2, 0))
    usable = (other.abs().amax(dim=[1, 2]) < _REACH).float()
    square = torch.tensor(_SQUARE, dtype=other.dtype, device=other.device)
    other = torch.where(usable.reshape(-1, 1, 1) > 0, other, square)
    loss, _ = corner_loss(pairs.predicted, pairs.log_variance, other, usable)
    error = (usable * symmetric_error(own, other)).sum() / usable.sum().clamp_min(1.0)
    return loss, error


def start_from_squares(network: CornerHeatmapNetwork) -> None:
    """Let an untrained network say a square, upright for head A and turned by 45° for head B.

    Labels of angle or box do not name the corners; from there each head's names stay its own.
    """
    half = 0.55
    upright = half * torch.tensor(_SQUARE)
    # The first corner of a square that is turned by 45° is the upper one.
    turned = half * 2**0.5 * torch.tensor([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)])
    cell = network.grid[0, 1] - network.grid[0, 0]
    with torch.no_grad():
        bias = network.heads.bias
        assert bias is not None
        bias.view(2, 4, 5)[:, :, 1:3] = torch.stack([upright, turned]) / cell
