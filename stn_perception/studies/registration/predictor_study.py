# SPDX-License-Identifier: Apache-2.0
"""The predictor's training, in the way of every study that has weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from torch import nn

from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path
from stn_perception.studies.registration.predictor import StartPredictor
from stn_perception.studies.registration.predictor_lesson import PredictorLesson
from stn_perception.studies.report import StudyReport

ROW = "predictor"


class PredictorStudy(LearnedStudy):
    """One row, whose figures are shares of pairs found by the whole registration."""

    name = "registration"
    rows = (ROW,)

    def network(self, row: str) -> nn.Module:
        """Return a predictor with fresh weights."""
        return StartPredictor()

    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return what it learns from."""
        return PredictorLesson(network)

    def settings(self, row: str) -> FitSettings:
        """Return its optimisation; all of it is a localization network, at the full rate."""
        return FitSettings(steps=1200, batch_size=32, localization_factor=1.0, average_decay=0.98)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the figures of its lesson; the study's tables show it at work."""
        return PredictorLesson(network).validation(network)

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make a table of the training alone."""
        outcome = outcomes[ROW]
        row = {
            "median °": outcome.spread("median_deg"),
            "within 20°": outcome.spread("within_20_deg"),
            "parameters": outcome.parameters,
            "minutes": outcome.training_minutes,
        }
        return StudyReport(self.name, command, {"Predictor": [row]})


@lru_cache(maxsize=1)
def shipped_predictor() -> StartPredictor:
    """Return the trained predictor that comes with the package.

    Raises:
        StudyError: Its weights are damaged or missing.
    """
    network = StartPredictor()
    read_weights(weights_path(shipped_weights("registration"), ROW, 0), network)
    return network.eval()
