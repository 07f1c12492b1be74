# SPDX-License-Identifier: Apache-2.0
"""The seam between fitting and what is fitted: a task brings network, batches, loss, figures."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from torch import Tensor, nn

from stn_perception.training.batch import Batch, StepResult

if TYPE_CHECKING:
    from stn_perception.runtime.model_card import ModelCard
    from stn_perception.training.config import TrainingConfig
    from stn_perception.training.labels.comparison import Compared

Report = Callable[[int, int], None]

# The modules are imported when their task is trained: each has dependencies of its own.
_TASKS = {
    "quads": "stn_perception.training.quads:QuadsTask",
    "tabletop": "stn_perception.training.tabletop.task:TabletopTask",
    "signs": "stn_perception.training.road_signs.task:SignsTask",
    "bag": "stn_perception.training.own_bag.task:BagTask",
}


class Task(Protocol):
    """What is learned. Made from a ``TrainingConfig`` alone, by its class."""

    def network(self) -> nn.Module:
        """Return the untrained network, as configured."""
        ...

    def prepare(self, report: Report) -> None:
        """Draw or read what training needs; doing it twice does it once.

        Called before the loader forks its workers.

        Args:
            report: called with samples done and samples wanted.
        """
        ...

    def batch(self, step: int, rank: int) -> Batch:
        """Return the batch of one step; depends on seed, step and rank alone.

        Runs in a loader worker. Everything random of the step has to be in the batch: a resumed
        run has another state of torch's generator.
        """
        ...

    def held_out(self) -> Batch:
        """Return fixed samples with exact truth to watch the training by, never scored ones."""
        ...

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch, as the configured strategy has it."""
        ...

    def figures(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return what is watched on the held-out batch; the averaged network is given."""
        ...

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return N×3×H×2W in [0, 1], each crop beside its view, for TensorBoard."""
        ...

    def seen(self) -> str:
        """Return what training crops are cut from, for the card (``… crops of {seen}``)."""
        ...

    def held_out_text(self) -> str:
        """Return what training never sees, for the card."""
        ...

    def card_fields(self) -> dict[str, Any]:
        """Return what the card says of the network: family, sizes, margins, symmetry, classes."""
        ...


@runtime_checkable
class CalibratedTask(Protocol):
    """A task that makes the predicted standard deviations mean what they say."""

    def calibrate(self, network: nn.Module, card: ModelCard, samples: int) -> float:
        """Scale the network's standard deviations in place to hold 68.27 % of the errors.

        Args:
            network: the averaged network in evaluation mode, not folded.
            card: as it will be written.
            samples: how many held-out samples to measure on.

        Returns:
            The factor on every standard deviation.
        """
        ...


@runtime_checkable
class ComparedTask(Protocol):
    """A task whose labels may be wrong, and whose truth is known beside them."""

    def compare(self, network: nn.Module) -> Compared | None:
        """Return the errors of labels and network against exact truth; none for exact labels."""
        ...


@runtime_checkable
class ListsMaterials(Protocol):
    """A task whose samples are made of materials that the card lists once, after all runs."""

    def materials(self) -> str:
        """Return what training samples are made of."""
        ...


def task_for(config: TrainingConfig) -> Task:
    """Return the configured task; nothing is drawn or read yet.

    Raises:
        ConfigError: the configuration lacks what the task needs.
    """
    module, name = _TASKS[config.task].split(":")
    task: Task = getattr(importlib.import_module(module), name)(config)
    return task
