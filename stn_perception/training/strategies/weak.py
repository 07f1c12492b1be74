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
from stn_perception.training.strategies.corner_order import symmetric_error
from stn_perception.training.strategies.likelihood import (
    chosen_corners,
    corner_loss,
    head_weights,
)

# Corners beyond the crop cannot be seen, and not be said by a soft-argmax over it.
_REACH = 1.1
# Difference of the heads' box errors, in half sides, that decides between them.
_HEAD_TEMPERATURE = 0.05
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
        if torch.isnan(batch.corners).any():
            known, head_a = _partial_loss(pairs, batch, weight)
            within = None
        else:
            known, head_a, within = _corners_loss(pairs, batch, weight)
        twins, agreement = _consistency(pairs)
        choice = nn.functional.binary_cross_entropy_with_logits(
            pairs.head_a, head_a, weight=weight
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


def _corners_loss(pairs: _Pairs, batch: Batch, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compare with labels that have corners.

    Returns:
        the loss; how much head A is to be chosen, 2N; the coverage of the predicted deviations.
    """
    placed = carried(batch.extra["object_from_crop"], batch.corners).repeat(2, 1, 1)
    corners = carried(torch.linalg.inv(pairs.object_from_crop), placed)
    seen = (corners.abs().amax(dim=[1, 2]) < _REACH).float()
    loss, within = corner_loss(pairs.predicted, pairs.log_variance, corners, weight * seen)
    _, cosine = labelled_for_heads(corners)
    return loss, 0.5 + 0.5 * cosine, within


def _partial_loss(pairs: _Pairs, batch: Batch, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Compare with labels that know the box, and perhaps the angle.

    Returns:
        the loss; how much head A is to be chosen, 2N.
    """
    both = pairs.object_from_crop.repeat_interleave(2, dim=0)
    heads = carried(both, pairs.predicted.flatten(0, 1)).reshape(-1, 2, 4, 2)
    error = _box_error(heads, batch.extra["box"]) + _angle_error(heads, batch.extra["angle"])
    if torch.isnan(batch.extra["angle"]).any():
        # Which head is far from its tear is not known either: the one that explains the label.
        shares = torch.softmax(-error.detach() / _HEAD_TEMPERATURE, dim=1)
        weights, head_a = shares, shares[:, 0]
    else:
        _, cosine = labelled_for_heads(_turned_to_label(pairs, batch))
        weights, head_a = head_weights(cosine), 0.5 + 0.5 * cosine
    weights = weights * weight.unsqueeze(1)
    return 10 * (weights * error).sum() / weights.sum().clamp_min(1e-6), head_a


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


def _turned_to_label(pairs: _Pairs, batch: Batch) -> Tensor:
    """Return the network's own corners, 2N×4×2 in crop axes, turned to the label's angle."""
    own = chosen_corners(pairs.predicted, pairs.head_a).detach()
    angle = batch.extra["angle"].repeat(2)
    placed = carried(pairs.object_from_crop, own)
    turn = quarter_difference(angle, turn_of_corners(placed))
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
