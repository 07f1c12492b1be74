# SPDX-License-Identifier: Apache-2.0
"""Learning a canonical view from crops alone: equivariance, template, classes, weighted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.stn.compose import compose
from stn_perception.stn.object_network import ObjectNetwork
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.strategies.unsupervised_config import UnsupervisedConfig
from stn_perception.training.strategies.unsupervised_losses import (
    disagreement_likelihood,
    equivariance_errors,
    framing_error,
    target_errors,
    template_distances,
)

_BLURS_PX = (2.0, 0.8)
# The template needs views to show the object before it can say how they should look.
_TEMPLATE_FROM, _TEMPLATE_FULL = 0.1, 0.3
_VARIANCE_WEIGHT = 0.05
_TEMPLATE_RATE = 5.0


class Unsupervised:
    """The weighted sum of the losses that need no labelled transforms.

    A batch holds two warps of every crop, the first ones in its first half. ``batch.corners`` and
    ``batch.weight`` are the first guesses of ``own_bag.alignment``; ``batch.extra`` holds
    ``upright_from_crop`` N×3×3, ``half_size`` N×2 and ``progress`` N, the share of the run that
    is done, with ``given_template`` N×1×T×T where one is to be kept.

    Args:
        config: the weights.
    """

    def __init__(self, config: UnsupervisedConfig) -> None:
        self.config = config

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch (see ``Strategy.step``)."""
        assert isinstance(network, ObjectNetwork)
        theta, log_variance = network.locate(batch.crops)
        progress = float(batch.extra["progress"][0])
        losses = self._geometry(theta, log_variance, batch, progress)
        losses |= self._pictures(network, theta, batch, progress)
        total = torch.stack(list(losses.values())).sum()
        first, second = _halves(theta)
        apart = equivariance_errors(first, second, *_halves(batch.extra["upright_from_crop"]))
        figures = {"equivariance_error": apart.median(), **losses}
        return StepResult(total, {name: value.detach() for name, value in figures.items()})

    def _geometry(
        self, theta: Tensor, log_variance: Tensor, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        config = self.config
        warps = batch.extra["upright_from_crop"]
        (a, b), (warp_a, warp_b) = _halves(theta), _halves(warps)
        losses: dict[str, Tensor] = {}
        if config.equivariance > 0:
            apart = torch.nan_to_num(equivariance_errors(a, b, warp_a, warp_b), nan=2.0)
            losses["equivariance"] = config.equivariance * apart.clamp(max=4.0).mean()
            variance_a, variance_b = _halves(log_variance)
            likelihood = disagreement_likelihood(variance_a, a, b, warp_a, warp_b)
            likelihood = likelihood + disagreement_likelihood(variance_b, b, a, warp_b, warp_a)
            losses["variance"] = _VARIANCE_WEIGHT * likelihood
        searching = config.search * max(0.0, 1 - progress / max(config.search_share, 1e-9))
        if searching > 0 and bool(torch.isfinite(batch.corners).all()):
            errors = batch.weight * target_errors(theta, batch.corners)
            losses["search"] = searching * errors.sum() / batch.weight.sum().clamp(min=1e-6)
        if config.framing > 0:
            framing = framing_error(compose(warps, theta), batch.extra["half_size"])
            losses["framing"] = config.framing * framing
        return losses

    def _pictures(
        self, network: ObjectNetwork, theta: Tensor, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        config = self.config
        losses: dict[str, Tensor] = {}
        if config.template == 0 and config.classes == 0:
            return losses
        views = network.view(batch.crops, theta)
        if config.template > 0:
            gray = views.mean(dim=1, keepdim=True)
            own = network.template[batch.class_index.clamp(min=0)]
            # The template learns from views as they are, the views from it as it is.
            learning = template_distances(gray.detach(), own, _BLURS_PX)
            losses["template_learning"] = _TEMPLATE_RATE * learning.mean()
            ramp = (progress - _TEMPLATE_FROM) / (_TEMPLATE_FULL - _TEMPLATE_FROM)
            wanted = batch.extra.get("given_template", own.detach())
            distances = template_distances(gray, wanted, _BLURS_PX)
            losses["template"] = config.template * min(1.0, max(0.0, ramp)) * distances.mean()
        if config.classes > 0:
            known = batch.class_index >= 0
            wrong = nn.functional.cross_entropy(
                network.reader(views)[known], batch.class_index[known], reduction="sum"
            )
            losses["classes"] = config.classes * wrong / known.sum().clamp(min=1)
        return losses


def _halves(tensor: Tensor) -> tuple[Tensor, Tensor]:
    half = len(tensor) // 2
    return tensor[:half], tensor[half:]
