# SPDX-License-Identifier: Apache-2.0
"""What is trained, scored and shown: boxes from classes alone, by a transformer and by windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.digits.drawn_lesson import error_percent
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.lesson import VALIDATION_COUNT, SceneLesson, held
from stn_perception.studies.localize.picture import write_picture
from stn_perception.studies.localize.scenes import fixed_scenes
from stn_perception.studies.localize.transformer_network import TransformerClassifier
from stn_perception.studies.localize.window_network import WindowClassifier
from stn_perception.studies.report import Cell, StudyReport

_LIMIT = 0.75
_TEST_COUNT = 1000
_TRANSFORMER, _WINDOWS = "transformer", "sliding-window"


class LocalizeStudy(LearnedStudy):
    """Fashion-MNIST's objects of any size anywhere in clutter."""

    name = "localize"
    rows = (_TRANSFORMER, _WINDOWS)

    def network(self, row: str) -> nn.Module:
        """Return a row's network; both have the same number of parameters."""
        return TransformerClassifier() if row == _TRANSFORMER else WindowClassifier()

    def lesson(self, row: str, network: nn.Module) -> SceneLesson:
        """Return the same lesson for every row."""
        return SceneLesson(network, self.settings(row).steps)

    def settings(self, row: str) -> FitSettings:
        """Return the same minutes for every row: a step of the windows takes longer."""
        steps = 1000 if row == _TRANSFORMER else 600
        return FitSettings(steps=steps, batch_size=64, average_decay=0.99)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return error and IoU on scenes of the test split; the factor is validation's."""
        validation = fixed_scenes("validation", VALIDATION_COUNT)
        factor = best_factor(boxes_of(network, validation), validation)
        scenes = fixed_scenes("test", _TEST_COUNT)
        boxes = boxes_of(network, scenes)
        return {
            "error_percent": error_percent(network, held("test", _TEST_COUNT)),
            "overlap": mean_overlap(boxes, scenes),
            "factor": factor,
            "overlap_at_factor": mean_overlap(boxes, scenes, factor),
        }

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table."""
        return StudyReport(
            self.name,
            command,
            {"Objects in clutter, 84×84": [_shown(row, one) for row, one in outcomes.items()]},
            _targets(outcomes),
            [
                "IoU: mean over 1,000 scenes of the test split; no training saw a box. Factor: "
                "that all boxes' sides are multiplied by, chosen on 500 scenes of validation.",
            ],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw the boxes of the networks of seed 0: the transformer's, and the windows' if any."""
        paths = {row: weights_path(weights, row, 0) for row in self.rows}
        networks = {}
        for row in self.rows:
            if row == _TRANSFORMER or paths[row].exists():
                networks[row] = self.trained(row, paths[row])
        write_picture(networks[_TRANSFORMER], networks.get(_WINDOWS), path)


def _targets(outcomes: Outcomes) -> list[Target]:
    reached = {row: one.best_known("overlap_at_factor") for row, one in outcomes.items()}
    ours, windows = reached.get(_TRANSFORMER), reached.get(_WINDOWS)
    if ours is None:
        return []
    targets = [Target("transformer, mean IoU", ours, _LIMIT, at_least=True)]
    if windows is not None:
        targets.append(Target("transformer against windows", ours, windows, at_least=True))
    return targets


def _shown(row: str, outcome: RowOutcome) -> Mapping[str, Cell]:
    return {
        "network": row,
        "IoU": outcome.spread("overlap_at_factor"),
        "factor": outcome.spread("factor"),
        "IoU as it comes": outcome.spread("overlap"),
        "class error %": outcome.spread("error_percent"),
        "parameters": outcome.parameters,
        "minutes": outcome.training_minutes,
        "scenes seen": next((facts.samples for facts in outcome.facts.values()), None),
    }
