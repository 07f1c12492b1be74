# SPDX-License-Identifier: Apache-2.0
"""Which two digits a scene holds: what is learned and how it is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from stn_perception.studies.attention.glimpse_network import Glimpses
from stn_perception.studies.attention.scenes import SIDE_PX, SceneMaker, Scenes
from stn_perception.studies.data.digits import Split
from stn_perception.studies.learning.lesson import device_of

SCORED_SCENES = 2_000
_SCENE_SEEDS = {"validation": 71, "test": 72}
_SCORING_BATCH = 100
# A digit is found if a glimpse is centred this near to it: it then shows all of it, nearly.
NEAR_PX = 8.0
_EXPECTATION_WEIGHT, _ENTROPY_WEIGHT = 0.5, 0.01


class DigitPair:
    """The lesson of one network.

    Args:
        network: A `GlimpseNetwork` or a `PatchNetwork`.
        localization: The parts of it that choose where to look.
    """

    def __init__(self, network: nn.Module, localization: Sequence[nn.Module]) -> None:
        self.network, self.localization = network, localization
        self._maker = SceneMaker("train")

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw scenes."""
        scenes = self._maker.draw(count, generator)
        return scenes.images, scenes.digits

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the loss of the digits, and what REINFORCE adds where places are drawn."""
        images, digits = batch
        found = network(images)
        if not isinstance(found, Glimpses):
            return digit_loss(found, digits)
        loss = digit_loss(found.scores, digits)
        if getattr(network, "choice", None) != "reinforce":
            return loss
        return loss + policy_loss(found, right_digits(found.scores.detach(), digits) / 2)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the figures of the validation split's scenes."""
        return figures(network, "validation")


def digit_loss(scores: Tensor, digits: Tensor) -> Tensor:
    """Return the mean cross entropy of N×10 scores against the two digits, half each."""
    return -torch.log_softmax(scores, dim=1).gather(1, digits).mean()


def policy_loss(found: Glimpses, reward: Tensor) -> Tensor:
    """Return the loss whose gradient is REINFORCE's (Williams 1992) with a learned baseline.

    Args:
        found: Of N scenes with K glimpses.
        reward: N, of each scene.
    """
    reward = reward.unsqueeze(1)
    gain = (reward - found.expected).detach()
    chosen = -(gain * found.log_probability).sum(dim=1).mean()
    expected = (reward - found.expected).square().mean()
    # Without it the policy settles on one cell before it has seen what others are worth.
    spread = -found.entropy.mean()
    return chosen + _EXPECTATION_WEIGHT * expected + _ENTROPY_WEIGHT * spread


def right_digits(scores: Tensor, digits: Tensor) -> Tensor:
    """Return how many of the two digits, N×2, are among the two best scores of N×10."""
    best = scores.topk(2, dim=1).indices
    return (best.unsqueeze(2) == digits.unsqueeze(1)).any(dim=1).sum(dim=1).float()


def found_share(centers: Tensor, truth: Tensor) -> float:
    """Return the share of digits, N×2×2, with a glimpse, N×K×2, centred within `NEAR_PX`."""
    distance = (centers.unsqueeze(1) - truth.unsqueeze(2)).abs().amax(dim=3) * SIDE_PX / 2
    return float((distance.amin(dim=2) <= NEAR_PX).float().mean())


@lru_cache(maxsize=2)
def scored_scenes(split: Split) -> Scenes:
    """Return the scenes that a split is scored with, always the same."""
    generator = torch.Generator().manual_seed(_SCENE_SEEDS[split])
    return SceneMaker(split).draw(SCORED_SCENES, generator)


def figures(network: nn.Module, split: Split) -> Mapping[str, float]:
    """Return the share of scenes and of digits that are right, and what glimpses found."""
    scenes, device = scored_scenes(split), device_of(network)
    scores, centers = [], []
    for images in scenes.images.split(_SCORING_BATCH):  # type: ignore[no-untyped-call]
        found = network(images.to(device))
        if isinstance(found, Glimpses):
            centers.append(found.centers.cpu())
            found = found.scores
        scores.append(found.cpu())
    right = right_digits(torch.cat(scores), scenes.digits)
    result = {
        "both_percent": float((right == 2).float().mean()) * 100,
        "digits_percent": float(right.mean()) * 50,
    }
    if centers:
        result["found_percent"] = found_share(torch.cat(centers), scenes.centers) * 100
    return result
