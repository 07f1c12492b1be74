# SPDX-License-Identifier: Apache-2.0
"""The study: networks, their training, their errors on the test split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from torch import nn

from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.mnist.lesson import DigitLesson, error_percent, fixed_set
from stn_perception.studies.mnist.networks import DigitNetwork, digit_network
from stn_perception.studies.mnist.picture import write_picture
from stn_perception.studies.mnist.rows import ROWS
from stn_perception.studies.mnist.table import report
from stn_perception.studies.report import StudyReport


class MnistStudy(LearnedStudy):
    """Every network on every distortion."""

    name = "mnist"
    rows = tuple(ROWS)

    def network(self, row: str) -> nn.Module:
        """Return a row's network with fresh weights."""
        return digit_network(ROWS[row])

    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return endless distorted digits with their labels."""
        steps = self.settings(row).steps
        return DigitLesson(cast(DigitNetwork, network), ROWS[row].kind, steps)

    def settings(self, row: str) -> FitSettings:
        """Return the same for all of a distortion: thirty or nineteen times the training split."""
        return FitSettings(
            steps=12000 if ROWS[row].kind == "R" else 7500,
            batch_size=128,
            learning_rate=3e-3,
            localization_factor=1.0,
            weight_decay=0.02,
        )

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the error on the test split, every digit distorted once."""
        digits = fixed_set("test", ROWS[row].kind)
        return {"error_percent": error_percent(network, digits)}

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Return the errors, network by distortion, and what the networks cost."""
        return report(outcomes, command)

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw distorted digits and what the hosts see of them."""
        write_picture(weights, path)
