# SPDX-License-Identifier: Apache-2.0
"""What a row's network learns from: class labels only, every batch distorted anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.distortion import Kind, distort
from stn_perception.studies.digits.sets import DistortedSet, distorted_set, upright_digits
from stn_perception.studies.digits.variation import varied
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.mnist.curriculum import WHOLE, curriculum_of
from stn_perception.studies.mnist.networks import DigitNetwork

_SMOOTHING = 0.05
# The others distort handwriting enough by themselves for the few epochs that they get.
_NOISE_PX: dict[Kind, float] = {"R": 0.8, "RTS": 0.0, "P": 0.0, "E": 0.0}
_BATCH = 500

Batch = tuple[Tensor, Tensor, bool]


class DigitLesson:
    """Distorted digits with their labels; see `Lesson`."""

    def __init__(self, network: DigitNetwork, kind: Kind, steps: int) -> None:
        self.network: nn.Module = network
        transformer = network.transformer
        self.localization: Sequence[nn.Module] = [transformer] if transformer else []
        self._kind: Kind = kind
        self._curriculum = curriculum_of(kind) if transformer else WHOLE
        self._steps, self._drawn = steps, 0

    def batch(self, count: int, generator: torch.Generator) -> Batch:
        """Draw digits, bend those of R, distort them as far as the training has come."""
        stage = self._curriculum.stage(self._drawn / self._steps)
        self._drawn += 1
        images, labels = upright_digits("train").draw(count, generator)
        images = varied(images, generator, _NOISE_PX[self._kind])
        made = distort(self._kind, images, generator, stage.share)
        return made.images, labels, stage.host_rests

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Cross entropy; the host in half precision, the transform in full."""
        images, labels, host_rests = batch
        assert isinstance(network, DigitNetwork)
        network.host.requires_grad_(not host_rests)
        seen = network.seen(images)
        with torch.autocast(images.device.type, torch.bfloat16):
            logits = network.host(seen)
        return functional.cross_entropy(logits.float(), labels, label_smoothing=_SMOOTHING)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Error on the validation split."""
        return {"error_percent": error_percent(network, fixed_set("validation", self._kind))}


@lru_cache(maxsize=8)
def fixed_set(split: Split, kind: Kind) -> DistortedSet:
    """Return a split, each digit distorted once, always alike."""
    return distorted_set(split, lambda images, generator: distort(kind, images, generator))


def error_percent(network: nn.Module, digits: DistortedSet) -> float:
    """Return how many digits of a hundred are read wrongly, by one pass of one network."""
    device = device_of(network)
    pairs = zip(
        torch.split(digits.digits.images, _BATCH),
        torch.split(digits.labels, _BATCH),
        strict=True,
    )
    wrong = sum(
        int((network(images.to(device)).argmax(dim=1).cpu() != labels).sum())
        for images, labels in pairs
    )
    return 100 * wrong / len(digits.labels)
