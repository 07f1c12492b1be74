# SPDX-License-Identifier: Apache-2.0
"""What the sign reader learns from: where the square is, how it is turned, what it shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stn_perception.stn.compose import compose, invert
from stn_perception.stn.sign_reader import QUARTER_TURNS, SignReader
from stn_perception.stn.sign_turns import turn_of_theta, turned, unturned_corners
from stn_perception.stn.transforms import corners_from_theta, theta_from_corners
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.strategies.likelihood import SIGMA_OF_LAPLACE

_QUARTER = math.pi / 2

# The class's gradient reaches the transform on this part of each batch: the derivative of
# sampling costs as much as a quarter of a whole step.
_THROUGH_SHARE = 0.25


def wrapped(angle_rad: Tensor, period: Tensor | float) -> Tensor:
    """Return an angle modulo a period, nearest to zero."""
    return torch.remainder(angle_rad + period / 2, period) - period / 2


def turn_target(angle_rad: Tensor, symmetry: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """Spread each true turn over its two nearest bins, and over the turns that look alike.

    Args:
        angle_rad: N.
        symmetry: N, number of turns that look alike (1, 2 or 4).
        bins: how many.

    Returns:
        Shares, N×bins, that sum to 1; and the distance from each bin to the turn nearest to it,
        N×bins in bins.
    """
    position = angle_rad / (2 * math.pi / bins)
    period = bins / symmetry
    centres = torch.arange(bins, device=angle_rad.device, dtype=angle_rad.dtype)
    distance = wrapped(position.unsqueeze(1) - centres.unsqueeze(0), period.unsqueeze(1))
    shares = (1 - distance.abs()).clamp_min(0)
    return shares / shares.sum(dim=1, keepdim=True), distance


def class_log_likelihood(
    logits: Tensor, class_index: Tensor, turns: Tensor, symmetry: Tensor
) -> Tensor:
    """Return the log-likelihood of each class in its turn, or in any turn that looks alike, N.

    Args:
        logits: N×(4 classes + 1), see ``SignReader.read``.
        class_index: N; ``classes`` is none of them.
        turns: N, quarters by which the view has to be turned.
        symmetry: N; 0 counts as 1.
    """
    log_likelihood = torch.log_softmax(logits, dim=1)
    classes = (logits.size(1) - 1) // QUARTER_TURNS
    per_turn = log_likelihood[:, :-1].reshape(-1, classes, QUARTER_TURNS)
    sign = class_index.clamp_max(classes - 1).reshape(-1, 1, 1).expand(-1, 1, QUARTER_TURNS)
    own = per_turn.gather(1, sign).squeeze(1)
    step = QUARTER_TURNS // symmetry.clamp_min(1)
    quarters = torch.arange(QUARTER_TURNS, device=logits.device).unsqueeze(0)
    alike = torch.remainder(quarters - turns.unsqueeze(1), step.unsqueeze(1)) == 0
    of_sign = torch.logsumexp(own.masked_fill(~alike, -1e9), dim=1)
    return torch.where(class_index < classes, of_sign, log_likelihood[:, -1])


def residual_turn(found: Tensor, truth: Tensor) -> Tensor:
    """Return by how much a found view is turned against the true one, N radians.

    Args:
        found: crop_from_view, N×3×3.
        truth: crop_from_view, N×3×3.
    """
    return turn_of_theta(compose(invert(found), truth))


@dataclass(frozen=True)
class _Truth:
    unturned: Tensor
    theta: Tensor
    angle: Tensor
    has_square: Tensor
    has_turn: Tensor
    symmetry: Tensor


def _truth(batch: Batch) -> _Truth:
    symmetry = batch.extra["symmetry"]
    has_square = torch.isfinite(batch.corners).all(dim=2).all(dim=1)
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    corners = torch.where(
        has_square.reshape(-1, 1, 1), batch.corners, square.to(batch.corners.device)
    )
    unturned, angle = unturned_corners(corners)
    theta = theta_from_corners(corners)
    # A square that reaches far beyond the crop teaches nothing about where it is.
    inside = torch.nan_to_num(unturned, nan=9.0).abs().amax(dim=[1, 2]) < 3
    return _Truth(
        torch.nan_to_num(unturned),
        theta,
        angle,
        has_square & inside,
        has_square & (symmetry > 0),
        symmetry,
    )


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1)


def _views(batch: Batch, truth: _Truth, theta: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return the transforms of the views to read, and the quarters each has to be turned by."""
    turns = batch.extra["view_turns"]
    disturbed = compose(truth.theta, theta_from_corners(batch.extra["view_corners"]))
    disturbed = turned(disturbed, -turns.to(theta.dtype) * _QUARTER)
    given = batch.extra["from_truth"] & truth.has_square
    needed = torch.round(wrapped(truth.angle - angle.detach(), 2 * math.pi) / _QUARTER)
    needed = torch.remainder(needed, QUARTER_TURNS).to(turns.dtype)
    views = torch.where(given.reshape(-1, 1, 1), disturbed, theta)
    return views, torch.where(given, turns, needed)


def reader_step(network: SignReader, batch: Batch) -> StepResult:
    """Return the loss of one batch.

    The square's place is learned by its absolute error, the turn as a distribution over bins, the
    deviations by the likelihood of a Laplace distribution; the class through the transformer, on
    views along the network's own estimates and, for a part, along disturbed true ones.
    """
    truth = _truth(batch)
    centred = network.centred(batch.crops)
    corners, bin_logits, corrections, log_variance = network.locator(centred)
    place_loss = _mean((corners - truth.unturned).abs().mean(dim=[1, 2]), truth.has_square)

    shares, distance = turn_target(truth.angle, truth.symmetry.clamp_min(1), network.bins)
    turn_loss = _mean(-(shares * torch.log_softmax(bin_logits, dim=1)).sum(dim=1), truth.has_turn)
    off = (corrections - distance.clamp(-0.75, 0.75)).abs()
    correction_loss = _mean((shares * off).sum(dim=1), truth.has_turn)

    angle = network.angles(bin_logits, corrections)
    theta = turned(theta_from_corners(corners), angle)
    found = corners_from_theta(theta)
    # The reader puts a view upright, so that deviations are about the nearest quarter turn.
    nearest = angle + wrapped(truth.angle - angle, _QUARTER)
    target = corners_from_theta(turned(theta_from_corners(truth.unturned), nearest.detach()))
    usable = truth.has_turn & truth.has_square
    usable = usable & torch.isfinite(found + target).all(dim=2).all(dim=1)
    error = torch.nan_to_num(found - target).abs()
    log_scale = 0.5 * log_variance.reshape(-1, 4, 2) - math.log(SIGMA_OF_LAPLACE)
    likelihood = error.detach() * torch.exp(-log_scale) + log_scale
    spread_loss = _mean(likelihood.mean(dim=[1, 2]), usable)
    corner_loss = _mean(error.mean(dim=[1, 2]), usable)

    views, turns = _views(batch, truth, theta, angle)
    through = int(len(views) * _THROUGH_SHARE)
    sampled = [
        network.view(centred[:through], views[:through]),
        network.view(centred[through:], views[through:].detach()),
    ]
    logits = network.read(torch.cat(sampled))
    class_loss = -class_log_likelihood(logits, batch.class_index, turns, truth.symmetry).mean()

    loss = (
        8 * place_loss
        + 2 * corner_loss
        + turn_loss
        + correction_loss
        + 0.3 * spread_loss
        + 1.5 * class_loss
    )
    figures = {
        "class_loss": class_loss,
        "place_loss": place_loss,
        "turn_loss": turn_loss,
        "corner_error": corner_loss,
    }
    return StepResult(loss, {name: value.detach() for name, value in figures.items()})


def plain_step(logits: Tensor, batch: Batch) -> StepResult:
    """Return the loss of the classifier without the transformer."""
    loss = nn.functional.cross_entropy(logits, batch.class_index)
    return StepResult(loss, {"class_loss": loss.detach()})
