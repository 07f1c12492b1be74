# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and shown: perturbed digits after none, one, two and four looks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.digits.drawn_lesson import DrawnLesson, error_percent
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.refine.networks import LOOKS, ROWS, RefiningNetwork, build
from stn_perception.studies.refine.perturbation import draw, held
from stn_perception.studies.refine.picture import write_picture
from stn_perception.studies.report import Cell, StudyReport

_LIMIT_PERCENT = 1.0
# Lin & Lucey 2017, table 1: CNN, and IC-STN with one, two and four warps.
_PUBLISHED_PERCENT = {"cnn": 6.597, "st-cnn-1": 3.687, "st-cnn-2": 1.905, "st-cnn-4": 1.23}


class RefineStudy(LearnedStudy):
    """Homographies of 12.5 % noise, undone in one, two or four looks."""

    name = "refine"
    rows = ROWS

    def network(self, row: str) -> nn.Module:
        """Return a row's network."""
        return build(row)

    def lesson(self, row: str, network: nn.Module) -> DrawnLesson:
        """Return the same lesson for every row: which digit a view shows."""
        assert isinstance(network, RefiningNetwork)
        localization = [network.transformer.localization] if LOOKS[row] else []
        return DrawnLesson(network, localization, draw, lambda: held("validation"))

    def settings(self, row: str) -> FitSettings:
        """Return the same budget for every row."""
        return FitSettings(steps=8000, learning_rate=4e-3, localization_factor=0.25)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the error on the test split, perturbed once."""
        return {"error_percent": error_percent(network, held("test"))}

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table."""
        four = outcomes.get("st-cnn-4")
        best = None if four is None else four.best_known("error_percent")
        return StudyReport(
            self.name,
            command,
            {"Perturbed digits": [_shown(*item) for item in outcomes.items()]},
            [] if best is None else [Target("Four looks, error in percent", best, _LIMIT_PERCENT)],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw what the network of four looks and seed 0 sees."""
        network = self.trained("st-cnn-4", weights_path(weights, "st-cnn-4", 0))
        assert isinstance(network, RefiningNetwork)
        write_picture(network, path)


def _shown(row: str, outcome: RowOutcome) -> Mapping[str, Cell]:
    return {
        "network": row,
        "looks": LOOKS[row],
        "error %": outcome.spread("error_percent"),
        "published %": _PUBLISHED_PERCENT[row],
        "parameters": outcome.parameters,
        "minutes": outcome.training_minutes,
    }
