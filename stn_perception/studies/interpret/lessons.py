# SPDX-License-Identifier: Apache-2.0
"""Two more ways to learn an angle: by equivariance, and by being told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from stn_perception.stn import SpatialTransformer, compose
from stn_perception.studies.digits.distortion import distort, placed
from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.digits.transforms import UPRIGHT_PX, similarity, turn_at_center
from stn_perception.studies.digits.variation import varied
from stn_perception.studies.interpret.measuring import figures, measure
from stn_perception.studies.mnist.lesson import Batch, DigitLesson
from stn_perception.studies.mnist.networks import DigitNetwork

_LARGEST_TURN_RAD = math.pi / 4
_WEIGHT = 2.0


class EquivariantLesson:
    """As the study `mnist` on R, and a picture that is turned further is to be seen alike.

    The turn between the two pictures is ours, and known on any data; the true angle of neither is
    used. Unlike class labels, it says by how much the transform has to change.
    """

    def __init__(self, network: DigitNetwork, steps: int) -> None:
        self._digits = DigitLesson(network, "R", steps)
        self.network: nn.Module = network
        self.localization: Sequence[nn.Module] = self._digits.localization

    def batch(self, count: int, generator: torch.Generator) -> tuple[Batch, Tensor, Tensor]:
        """Draw distorted digits, and the same turned further, N×1×28×28 and N×2×3."""
        of_digits = self._digits.batch(count, generator)
        images = (of_digits[0].squeeze(1) * 255).round().to(torch.uint8)
        angle = _LARGEST_TURN_RAD * (2 * torch.rand(count, generator=generator) - 1)
        still = torch.zeros(count, 2)
        turned_from_given = similarity(angle, torch.ones(count), still, UPRIGHT_PX)
        turned = placed(images, turned_from_given, UPRIGHT_PX).images
        return of_digits, turned, turned_from_given

    def loss(self, network: nn.Module, batch: tuple[Batch, Tensor, Tensor]) -> Tensor:
        """Cross entropy, and the squared difference of the two transforms."""
        of_digits, turned, turned_from_given = batch
        assert isinstance(network, DigitNetwork)
        assert isinstance(network.transformer, SpatialTransformer)
        given = of_digits[0]
        predict = network.transformer.predict
        expected = compose(turned_from_given, predict(given))[:, :2]
        difference = (predict(turned) - expected).square().sum(dim=(1, 2)).mean()
        return self._digits.loss(network, of_digits) + _WEIGHT * difference

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return error and angles on the validation split."""
        assert isinstance(network, DigitNetwork)
        angles = figures(measure(network.transformer, "R", "validation"))
        return {**self._digits.validation(network), **angles}


class SupervisedLesson:
    """The localization network alone, told the true angle: what its size and sight allow."""

    def __init__(self, network: SpatialTransformer) -> None:
        self.network: nn.Module = network
        self.localization: Sequence[nn.Module] = ()

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw digits turned within ±90°, and by how much."""
        images, _ = upright_digits("train").draw(count, generator)
        made = distort("R", varied(images, generator), generator)
        assert made.angle_rad is not None
        return made.images, made.angle_rad

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        """One less the cosine of the angles' difference."""
        images, angle_rad = batch
        assert isinstance(network, SpatialTransformer)
        found = turn_at_center(network.predict(images))
        return (1 - torch.cos(found - angle_rad)).mean()

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the angles' figures on the validation split."""
        assert isinstance(network, SpatialTransformer)
        return figures(measure(network, "R", "validation"))
