# SPDX-License-Identifier: Apache-2.0
"""How well boxes lie that nobody taught: IoU as they come, and at their best size."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from stn_perception.stn import scaled_about_center
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.localize.overlap import overlap
from stn_perception.studies.localize.scene_kind import Scenes

_CHUNK = 100
# Factors that a box's side is tried with.
_FACTORS = tuple(0.5 + 0.02 * i for i in range(76))


def boxes_of(network: nn.Module, scenes: Scenes) -> Tensor:
    """Return picture_from_box for all scenes, N×2×3 on the CPU.

    Args:
        network: One that can `locate(N×1×H×H)`.
        scenes: Whose objects are to be found.
    """
    locate = cast(Callable[[Tensor], Tensor], network.locate)
    device = device_of(network)
    with torch.no_grad():
        found = [locate(some.to(device)).cpu() for some in torch.split(scenes.images, _CHUNK)]
    return torch.cat(found)[:, :2]


def mean_overlap(boxes: Tensor, scenes: Scenes, factor: float = 1.0) -> float:
    """Return the mean IoU of boxes whose sides are multiplied by a factor."""
    return float(overlap(scaled_about_center(boxes, factor), scenes.truth).double().mean())


def best_factor(boxes: Tensor, scenes: Scenes) -> float:
    """Return the one factor of all boxes' sides with the highest mean IoU.

    To name the class, a view may show the object with any margin as long as it is always the same
    one. That margin is the only thing that is read off true boxes, those of validation.
    """
    return max(_FACTORS, key=lambda factor: mean_overlap(boxes, scenes, factor))
