# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and shown: one digit class, 100 pictures, no labels.

Jaderberg et al. 2015, section 4.4: T 100 % of the digits are found, TC 75 to 93 % by class.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from torch import nn

from stn_perception.studies.colocalize.found import found_percent, mean_overlap, views_of
from stn_perception.studies.colocalize.lesson import ColocalizationLesson
from stn_perception.studies.colocalize.localizers import DigitLocalizers
from stn_perception.studies.colocalize.picture import write_picture
from stn_perception.studies.colocalize.pictures import CLASSES, class_pictures
from stn_perception.studies.colocalize.table import found_table, summary_table, targets
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.report import StudyReport

_CLUTTERED = {"translated": False, "cluttered": True}
_STEPS = {"translated": 150, "cluttered": 350}


class ColocalizeStudy(LearnedStudy):
    """Ten transformers a row, one for each class."""

    name = "colocalize"
    rows = tuple(_CLUTTERED)

    def network(self, row: str) -> nn.Module:
        """Return ten fresh transformers."""
        return DigitLocalizers()

    def lesson(self, row: str, network: nn.Module) -> ColocalizationLesson:
        """Return all pictures of every class, without truth."""
        return ColocalizationLesson(network, _CLUTTERED[row], _STEPS[row])

    def settings(self, row: str) -> FitSettings:
        """Return the optimisation; a step sees so many pictures of each class."""
        return FitSettings(steps=_STEPS[row], batch_size=50, learning_rate=1e-2)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return by class what is found in the training pictures, as in the paper, and in others.

        The others' digits are from the test split; strangers are the other nine classes' networks
        on these.
        """
        assert isinstance(network, DigitLocalizers)
        scores = {}
        for digit in range(CLASSES):
            own = class_pictures(digit, _CLUTTERED[row], "train")
            others = class_pictures(digit, _CLUTTERED[row], "test")
            theta = views_of(network.of(digit), own.images)
            scores[f"found_{digit}"] = found_percent(theta, own)
            scores[f"overlap_{digit}"] = mean_overlap(theta, own)
            shares = [
                found_percent(views_of(network.of(other), others.images), others)
                for other in range(CLASSES)
            ]
            scores[f"others_{digit}"] = shares.pop(digit)
            scores[f"strangers_{digit}"] = fmean(shares)
        return scores

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the tables."""
        return StudyReport(
            self.name,
            command,
            {
                **{
                    f"Digits found, %, {row}": found_table(outcome, _CLUTTERED[row])
                    for row, outcome in outcomes.items()
                },
                "All classes": summary_table(outcomes),
            },
            targets(outcomes),
            [
                "Found: the view and the digit's 28×28 px overlap by more than one half. "
                "100 pictures a class; others: 100 of test digits, never trained on."
            ],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw where the transformers of seed 0 look."""
        network = self.trained("cluttered", weights_path(weights, "cluttered", 0))
        assert isinstance(network, DigitLocalizers)
        write_picture(network, path)
