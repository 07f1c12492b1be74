# SPDX-License-Identifier: Apache-2.0
"""A lesson in naming classes: every batch is drawn afresh, the validation set is drawn once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stn_perception.studies.learning.lesson import device_of

_CHUNK = 500


@dataclass(frozen=True, eq=False)
class Task:
    """What a network is given, and the class it shall name.

    Attributes:
        inputs: The network's arguments, N of each.
        labels: int64 N.
    """

    inputs: tuple[Tensor, ...]
    labels: Tensor


@dataclass(eq=False)
class DrawnLesson:
    """Cross-entropy of the class, and nothing else.

    Attributes:
        network: From a task's inputs to N×K logits.
        localization: Its parts that learn at the gentler rate.
        draw: Draws a training task of N samples.
        held_out: Returns the validation task.
    """

    network: nn.Module
    localization: Sequence[nn.Module]
    draw: Callable[[int, torch.Generator], Task]
    held_out: Callable[[], Task]

    def batch(self, count: int, generator: torch.Generator) -> tuple[list[Tensor], Tensor]:
        """Return `count` new samples."""
        task = self.draw(count, generator)
        return list(task.inputs), task.labels

    def loss(self, network: nn.Module, batch: tuple[list[Tensor], Tensor]) -> Tensor:
        """Return the mean cross-entropy."""
        inputs, labels = batch
        return nn.functional.cross_entropy(network(*inputs), labels)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the error on the validation split."""
        return {"error_percent": error_percent(network, self.held_out())}


def error_percent(network: nn.Module, task: Task) -> float:
    """Return how often, in percent, a network's largest logit is not the label's."""
    device = device_of(network)
    wrong = 0
    for start in range(0, len(task.labels), _CHUNK):
        some = slice(start, start + _CHUNK)
        logits = network(*(part[some].to(device) for part in task.inputs))
        wrong += int((logits.argmax(dim=1).cpu() != task.labels[some]).sum())
    return 100 * wrong / len(task.labels)
