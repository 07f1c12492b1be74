# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and shown: translated digits in clutter with and without a transformer.

Jaderberg et al. 2015, section 4.1, "TC": CNN 3.5 %, ST-CNN 1.7 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from stn_perception.runtime.report_parts import Target
from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.finding import median_miss_px
from stn_perception.studies.clutter.networks import ROWS, build
from stn_perception.studies.clutter.picture import write_picture
from stn_perception.studies.clutter.pictures import MANY_PIECES, cluttered_set, draw, held
from stn_perception.studies.digits.drawn_lesson import DrawnLesson, error_percent
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.report import Cell, StudyReport

_LIMIT_PERCENT = 0.9
_PUBLISHED_PERCENT = {"cnn": 3.5, "st-cnn": 1.7}


class ClutterStudy(LearnedStudy):
    """Digits of 28 px anywhere in 60×60 px, and pieces of others."""

    name = "clutter"
    rows = ROWS

    def network(self, row: str) -> nn.Module:
        """Return a row's network."""
        return build(row)

    def lesson(self, row: str, network: nn.Module) -> DrawnLesson:
        """Return the same lesson for every row: which digit a picture shows."""
        localization = [
            module.localization
            for module in network.modules()
            if isinstance(module, SpatialTransformer)
        ]
        return DrawnLesson(network, localization, draw, lambda: held("validation"))

    def settings(self, row: str) -> FitSettings:
        """Return the same budget for every row."""
        return FitSettings(steps=5400, learning_rate=4e-3, localization_factor=0.5)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the errors on the test split, cluttered once, and how far views are off."""
        miss_px = median_miss_px(network, cluttered_set("test"))
        return {
            "error_percent": error_percent(network, held("test")),
            "error_many_percent": error_percent(network, held("test", MANY_PIECES)),
            **({} if miss_px is None else {"miss_px": miss_px}),
        }

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table."""
        best = outcomes["st-cnn"].best_known("error_percent") if "st-cnn" in outcomes else None
        return StudyReport(
            self.name,
            command,
            {
                "Translated digits in clutter, 60×60": [
                    _shown(row, outcome) for row, outcome in outcomes.items()
                ]
            },
            [] if best is None else [Target("ST-CNN, error in percent", best, _LIMIT_PERCENT)],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw where the transformer of seed 0 looks."""
        write_picture(self.trained("st-cnn", weights_path(weights, "st-cnn", 0)), path)


def _shown(row: str, outcome: RowOutcome) -> Mapping[str, Cell]:
    sees = row != "cnn"
    return {
        "network": row,
        "error %": outcome.spread("error_percent"),
        "published %": _PUBLISHED_PERCENT[row],
        f"error % among {MANY_PIECES} pieces": outcome.spread("error_many_percent"),
        "view off by, px": outcome.spread("miss_px") if sees else None,
        "parameters": outcome.parameters,
        "minutes": outcome.training_minutes,
    }
