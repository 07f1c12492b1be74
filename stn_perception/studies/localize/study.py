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
from stn_perception.studies.localize.clothes import ClothesScenes
from stn_perception.studies.localize.lesson import VALIDATION_COUNT, SceneLesson, task_of
from stn_perception.studies.localize.picture import write_picture
from stn_perception.studies.localize.rendered_scenes import RenderedScenes
from stn_perception.studies.localize.scene_kind import SceneKind
from stn_perception.studies.localize.transformer_network import TransformerClassifier
from stn_perception.studies.localize.window_network import WindowClassifier
from stn_perception.studies.report import Cell, StudyReport

_LIMIT = 0.75
_TEST_COUNT = 1000
_TRANSFORMER, _WINDOWS = "transformer", "sliding-window"
_RENDERED = "rendered-"
_KINDS: dict[str, SceneKind] = {"": ClothesScenes(), _RENDERED: RenderedScenes()}
_STEPS = {
    _TRANSFORMER: 5000,
    _WINDOWS: 3000,
    _RENDERED + _TRANSFORMER: 4000,
    _RENDERED + _WINDOWS: 2400,
}


class LocalizeStudy(LearnedStudy):
    """Fashion-MNIST's objects of any size anywhere in clutter, then rendered things on tables."""

    name = "localize"
    rows = tuple(_STEPS)

    def network(self, row: str) -> nn.Module:
        """Return a row's network; all have about the same number of parameters."""
        return TransformerClassifier() if row.endswith(_TRANSFORMER) else WindowClassifier()

    def lesson(self, row: str, network: nn.Module) -> SceneLesson:
        """Return the same lesson for every row of a kind of scenes."""
        return SceneLesson(network, _kind(row), self.settings(row).steps)

    def settings(self, row: str) -> FitSettings:
        """Return about the same minutes for both rows: a step of the windows takes longer."""
        # Rendered scenes have a deviation of 1: at the rate of the clothes, training breaks down.
        rate = 8e-4 if row.startswith(_RENDERED) else 2e-3
        return FitSettings(
            steps=_STEPS[row], batch_size=64, learning_rate=rate, average_decay=0.99
        )

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return error and IoU on scenes of the test split; the factor is validation's."""
        kind = _kind(row)
        validation = kind.fixed("validation", VALIDATION_COUNT)
        factor = best_factor(boxes_of(network, validation), validation)
        scenes = kind.fixed("test", _TEST_COUNT)
        boxes = boxes_of(network, scenes)
        return {
            "error_percent": error_percent(network, task_of(scenes)),
            "overlap": mean_overlap(boxes, scenes),
            "factor": factor,
            "overlap_at_factor": mean_overlap(boxes, scenes, factor),
        }

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make a table of each kind of scenes."""
        tables, targets, notes = {}, [], []
        for start, kind in _KINDS.items():
            rows = {row: one for row, one in outcomes.items() if _kind(row) is kind}
            if rows:
                tables[kind.title] = [_shown(row, one) for row, one in rows.items()]
                targets += _targets(start, rows)
                notes.append(f"{kind.title}: the true box is {kind.truth_text}.")
        return StudyReport(
            self.name,
            command,
            tables,
            targets,
            [
                "IoU: mean over 1,000 scenes of the test split; no training saw a box. Factor: "
                "that all boxes' sides are multiplied by, chosen on 500 scenes of validation.",
                *notes,
            ],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw the boxes of the networks of seed 0: the transformers', and the windows' if any."""
        networks = {
            row: self.trained(row, file)
            for row in self.rows
            if (file := weights_path(weights, row, 0)).exists()
        }
        write_picture(
            [
                (kind, networks[start + _TRANSFORMER], networks.get(start + _WINDOWS))
                for start, kind in _KINDS.items()
                if start + _TRANSFORMER in networks
            ],
            path,
        )


def _kind(row: str) -> SceneKind:
    return _KINDS[_RENDERED if row.startswith(_RENDERED) else ""]


def _targets(start: str, outcomes: Outcomes) -> list[Target]:
    reached = {row: one.best_known("overlap_at_factor") for row, one in outcomes.items()}
    row = start + _TRANSFORMER
    ours, windows = reached.get(row), reached.get(start + _WINDOWS)
    if ours is None:
        return []
    targets = [Target(f"{row}, mean IoU", ours, _LIMIT, at_least=True)]
    if windows is not None:
        targets.append(Target(f"{row} against windows", ours, windows, at_least=True))
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
