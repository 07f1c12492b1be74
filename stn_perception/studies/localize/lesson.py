# SPDX-License-Identifier: Apache-2.0
"""The lesson of every row: which object a scene shows, and nothing about where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import nn

from stn_perception.studies.clutter.drawn_lesson import DrawnLesson, Task
from stn_perception.studies.data.digits import Split
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.scenes import Scenes, draw_scenes, fixed_scenes

VALIDATION_COUNT = 500


class SceneLesson(DrawnLesson):
    """Cross-entropy of the class; the boxes of validation are looked at, not learned from."""

    def __init__(self, network: nn.Module, localization: Sequence[nn.Module] = ()) -> None:
        super().__init__(
            network, localization, _draw, lambda: held("validation", VALIDATION_COUNT)
        )

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the error and how well the boxes lie."""
        scenes = fixed_scenes("validation", VALIDATION_COUNT)
        boxes = boxes_of(network, scenes)
        factor = best_factor(boxes, scenes)
        return {
            **super().validation(network),
            "overlap": mean_overlap(boxes, scenes),
            "factor": factor,
            "overlap_at_factor": mean_overlap(boxes, scenes, factor),
        }


def _draw(count: int, generator: torch.Generator) -> Task:
    return _task(draw_scenes("train", count, generator))


@lru_cache(maxsize=2)
def held(split: Split, count: int) -> Task:
    """Return scenes that are drawn once, with their classes."""
    return _task(fixed_scenes(split, count))


def _task(scenes: Scenes) -> Task:
    return Task((scenes.images,), scenes.labels)
