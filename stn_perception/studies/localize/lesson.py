# SPDX-License-Identifier: Apache-2.0
"""The lesson of every row: which object a scene shows, and nothing about where."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stn_perception.studies.digits.drawn_lesson import DrawnLesson, Task
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.scene_kind import SceneKind, Scenes
from stn_perception.studies.localize.transformer_network import SECOND_LOOKS, TransformerClassifier

VALIDATION_COUNT = 500
# Share of the training in which a transformer looks once.
_LOOKS_ONCE = 0.6


class SceneLesson(DrawnLesson):
    """Cross-entropy of the class; the boxes of validation are looked at, not learned from."""

    def __init__(self, network: nn.Module, kind: SceneKind, steps: int) -> None:
        """Prepare the lesson.

        Args:
            network: To be trained.
            kind: Of the scenes.
            steps: Of the training; a transformer looks once for the first part of them.
        """
        super().__init__(
            network,
            (),
            lambda count, generator: task_of(kind.draw("train", count, generator)),
            lambda: task_of(kind.fixed("validation", VALIDATION_COUNT)),
        )
        self._kind = kind
        self.looks = _Looks(network, steps)

    def batch(self, count: int, generator: torch.Generator) -> tuple[list[Tensor], Tensor]:
        """Return `count` new scenes."""
        self.looks.next_step()
        return super().batch(count, generator)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the error and how well the boxes lie."""
        scenes = self._kind.fixed("validation", VALIDATION_COUNT)
        boxes = boxes_of(network, scenes)
        factor = best_factor(boxes, scenes)
        return {
            **super().validation(network),
            "overlap": mean_overlap(boxes, scenes),
            "factor": factor,
            "overlap_at_factor": mean_overlap(boxes, scenes, factor),
        }


class _Looks:
    """How often a transformer looks: once to begin with, as a second look needs a first one."""

    def __init__(self, network: nn.Module, steps: int) -> None:
        self._network, self._once = network, int(_LOOKS_ONCE * steps)
        self._step = 0

    def next_step(self) -> None:
        if isinstance(self._network, TransformerClassifier):
            again = 0 if self._step < self._once else SECOND_LOOKS
            self._network.transformer.refinement_steps = again
        self._step += 1


def task_of(scenes: Scenes) -> Task:
    """Return what a network is given and asked: no boxes."""
    return Task((scenes.images,), scenes.labels)
