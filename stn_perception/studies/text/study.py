# SPDX-License-Identifier: Apache-2.0
"""Three tasks, two hosts, each with and without a transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.report import StudyReport
from stn_perception.studies.text.network import HostName, TextNetwork
from stn_perception.studies.text.tables import text_report
from stn_perception.studies.text.tasks import SENTIMENT_SIZE, TASKS, TOPIC_SIZE, Task

_SIZES = {
    "topics": TOPIC_SIZE,
    # An article's cells are a fifth of the text: what is left on the others stretches the span.
    "hidden": replace(TOPIC_SIZE, sharpness=2.0),
    "sentiment": SENTIMENT_SIZE,
}
_STEPS = {"topics": (500, 32), "hidden": (6000, 32), "sentiment": (600, 64)}
# An encoder of larger rate stays at chance on hidden articles.
_RATES = {"gru": 1e-2, "encoder": 4e-3}


class TextLesson:
    """One fold of a task for one network.

    Args:
        network: Of a row.
        task: On the network's fold.
    """

    def __init__(self, network: TextNetwork, task: Task) -> None:
        self.network: nn.Module = network
        localization = network.transformer.localization
        self.localization: Sequence[nn.Module] = [] if localization is None else [localization]
        self._task = task

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw training texts."""
        return self._task.batch(count, generator)

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the task's loss."""
        return self._task.loss(network, batch)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the task's figures on the validation part of the fold."""
        return self._task.figures(network, "validation")


class TextStudy(LearnedStudy):
    """Rows are TASK-HOST and TASK-HOST-stn; the seed chooses the fold that is tested as well."""

    name = "text"
    rows = tuple(
        f"{task}-{host}{ending}"
        for task in TASKS
        for host in ("gru", "encoder")
        for ending in ("", "-stn")
    )

    def network(self, row: str) -> TextNetwork:
        """Return a row's network; the seed of torch's generator chooses the fold."""
        task, host = row.removesuffix("-stn").split("-")
        return TextNetwork(_SIZES[task], cast(HostName, host), row.endswith("-stn"))

    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return the fold of the row's task that the network was drawn for."""
        return TextLesson(cast(TextNetwork, network), self._task(row, network))

    def settings(self, row: str) -> FitSettings:
        """Return the optimisation, alike with and without a transformer."""
        task, host = row.removesuffix("-stn").split("-")
        steps, batch_size = _STEPS[task]
        return FitSettings(
            steps=steps,
            batch_size=batch_size,
            learning_rate=_RATES[host],
            # At 1 the span settles on one place before the words mean anything.
            localization_factor=0.3 if task == "hidden" else 1.0,
        )

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return accuracy, and for hidden articles the overlap of the spans, on the test part."""
        return self._task(row, network).figures(network, "test")

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make a table of each task, with its reference on the same folds."""
        return text_report(outcomes, command)

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw where the networks look in hidden articles."""
        from stn_perception.studies.text.picture import write_picture

        write_picture(self, weights, path)

    def _task(self, row: str, network: nn.Module) -> Task:
        return TASKS[row.split("-")[0]](int(cast(TextNetwork, network).fold))
