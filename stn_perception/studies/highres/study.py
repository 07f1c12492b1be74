# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and weighed: 4K frames looked at in four ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.errors import StudyError
from stn_perception.studies.highres.costs import Cost, costs
from stn_perception.studies.highres.looking import LookingReader
from stn_perception.studies.highres.looking_lesson import LookingLesson
from stn_perception.studies.highres.picture import write_views
from stn_perception.studies.highres.reading import reader
from stn_perception.studies.highres.scoring import held_out, reading_figures
from stn_perception.studies.highres.whole import WholeReader
from stn_perception.studies.highres.whole_lesson import WholeLesson
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import read_weights, weights_path
from stn_perception.studies.report import Cell, StudyReport

STN, FULL = "stn", "full-frame"
# By how much the frames of a whole network are shrunk, its strides, and its training windows.
_WHOLE: Mapping[str, tuple[int, tuple[int, ...], int]] = {
    FULL: (1, (4, 2, 2, 2, 1, 1), 256),
    "quarter-frame": (4, (2, 2, 2, 1, 1, 1), 128),
    "low-resolution": (16, (2, 2, 1, 1, 1, 1), 80),
}
_WIDTHS = (16, 32, 64, 64, 64, 64)
# Chosen so that every row learns for about as long.
_STEPS = {STN: 600, FULL: 800, "quarter-frame": 400, "low-resolution": 400}
_TIMES_CHEAPER = 20.0


class HighresStudy(LearnedStudy):
    """A sign of 60 to 160 px in a frame of 3840×2160; the digit on it is asked for."""

    name = "highres"
    rows = (STN, *_WHOLE)

    def network(self, row: str) -> nn.Module:
        """Return a row's network."""
        return LookingReader() if row == STN else WholeReader(_WIDTHS, _WHOLE[row][1])

    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return what a row learns from: digits and places of signs, the same for all."""
        if isinstance(network, LookingReader):
            return LookingLesson(network)
        assert isinstance(network, WholeReader)
        factor, _, window_px = _WHOLE[row]
        return WholeLesson(network, network.cell_px, factor, window_px)

    def settings(self, row: str) -> FitSettings:
        """Return the optimisation: the same but for the number of steps."""
        return FitSettings(
            steps=_STEPS[row],
            batch_size=32,
            learning_rate=3e-3,
            localization_factor=1.0,
            average_decay=0.98,
        )

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return how often readings of the test frames are wrong."""
        return reading_figures(held_out("test"), reader(network, _factor(row)))

    @cached_property
    def costs(self) -> Mapping[str, Cost]:
        """Arithmetic and time of a frame, all rows in turn; weights do not matter for either."""
        torch.manual_seed(0)
        return costs({row: (self.network(row), _factor(row)) for row in self.rows})

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table."""
        return StudyReport(
            self.name,
            command,
            {"4K frames": [self._shown(row, outcome) for row, outcome in outcomes.items()]},
            list(self._targets(outcomes)),
            [
                "error: of 500 test frames, whose photographs and digits no network has seen; "
                "missed: read further than a side away from the sign. GFLOP: of a frame by "
                "torch.utils.flop_counter, the shrinking counted as an addition a pixel. ms: of "
                "a frame, from uint8 pixels to the digit, one CPU thread, medians of rounds in "
                "which all rows take part; cheaper: as many times as on the full frame.",
            ],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw shrunk test frames, where the transformer of seed 0 looks, and its views.

        Raises:
            StudyError: It is not trained yet.
        """
        found = weights_path(weights, STN, 0)
        if not found.exists():
            raise StudyError(f"{found} is not there, expected the weights of the row {STN}.")
        network = LookingReader()
        read_weights(found, network)
        write_views(network.eval(), path)

    def _shown(self, row: str, outcome: RowOutcome) -> Mapping[str, Cell]:
        cost, full = self.costs[row], self.costs[FULL]
        return {
            "network": row,
            "error %": outcome.spread("error_percent"),
            "missed %": outcome.spread("missed_percent"),
            "GFLOP": cost.gflop,
            "cheaper in FLOP": full.gflop / cost.gflop,
            "ms": cost.time_ms,
            "cheaper in ms": full.time_ms / cost.time_ms,
            "parameters": outcome.parameters,
            "minutes": outcome.training_minutes,
        }

    def _targets(self, outcomes: Outcomes) -> list[Target]:
        ours, full = self.costs[STN], self.costs[FULL]
        found = [
            Target("times cheaper in FLOP", full.gflop / ours.gflop, _TIMES_CHEAPER, True),
            Target("times cheaper in time", full.time_ms / ours.time_ms, _TIMES_CHEAPER, True),
        ]
        errors = [
            outcomes[row].best_known("error_percent") if row in outcomes else None
            for row in (STN, FULL)
        ]
        if errors[0] is not None and errors[1] is not None:
            found.append(Target("error of the STN in percent", errors[0], errors[1]))
        return found


def _factor(row: str) -> int:
    return 1 if row == STN else _WHOLE[row][0]
