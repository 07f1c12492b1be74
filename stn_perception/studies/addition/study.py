# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and shown: sums of two digits with and without two transformers.

Jaderberg et al. 2015, appendix A.1: CNN 14.7 %, two parallel transformers 5.8 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.addition.naming import named_percent
from stn_perception.studies.addition.networks import ROWS, Adder, build
from stn_perception.studies.addition.pairs import draw, held
from stn_perception.studies.addition.picture import write_picture
from stn_perception.studies.digits.drawn_lesson import DrawnLesson, error_percent
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.report import Cell, StudyReport

_LIMIT_PERCENT = 2.0
_PUBLISHED_PERCENT = {"cnn": 14.7, "2-st-cnn": 5.8}


class AdditionStudy(LearnedStudy):
    """Two digits in two channels of 42×42 px, distorted independently; the label is their sum."""

    name = "addition"
    rows = ROWS

    def network(self, row: str) -> nn.Module:
        """Return a row's network."""
        return build(row)

    def lesson(self, row: str, network: nn.Module) -> DrawnLesson:
        """Return the same lesson for every row: what the two digits come to."""
        assert isinstance(network, Adder)
        localization = [part.localization for part in network.parts]
        return DrawnLesson(network, localization, draw, lambda: held("validation").task())

    def settings(self, row: str) -> FitSettings:
        """Return the same budget for every row."""
        return FitSettings(steps=7200, learning_rate=4e-3, localization_factor=0.5)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the error on pairs of the test split, and how many digits are named right."""
        assert isinstance(network, Adder)
        pairs = held("test")
        return {
            "error_percent": error_percent(network, pairs.task()),
            "named_percent": named_percent(network, pairs),
        }

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table."""
        with_two = outcomes.get("2-st-cnn")
        best = None if with_two is None else with_two.best_known("error_percent")
        limit = "Two transformers, error in percent"
        return StudyReport(
            self.name,
            command,
            {"Sum of two digits": [_shown(*item) for item in outcomes.items()]},
            [] if best is None else [Target(limit, best, _LIMIT_PERCENT)],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw where the transformers of seed 0 look."""
        network = self.trained("2-st-cnn", weights_path(weights, "2-st-cnn", 0))
        assert isinstance(network, Adder)
        write_picture(network, path)


def _shown(row: str, outcome: RowOutcome) -> Mapping[str, Cell]:
    return {
        "network": row,
        "error of the sum %": outcome.spread("error_percent"),
        "published %": _PUBLISHED_PERCENT[row],
        "digits named %": outcome.spread("named_percent"),
        "parameters": outcome.parameters,
        "minutes": outcome.training_minutes,
    }
