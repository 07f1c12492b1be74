# SPDX-License-Identifier: Apache-2.0
"""The study: angles of the networks of the study `mnist`, and of two that learn them otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import nn

from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.stn import SpatialTransformer
from stn_perception.studies.digits.distortion import Kind
from stn_perception.studies.errors import StudyError
from stn_perception.studies.interpret.lessons import EquivariantLesson, SupervisedLesson
from stn_perception.studies.interpret.measuring import figures, measure
from stn_perception.studies.interpret.plots import scatter
from stn_perception.studies.interpret.table import report
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.options import SEEDS
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import shipped_weights, weights_path
from stn_perception.studies.mnist.lesson import error_percent, fixed_set
from stn_perception.studies.mnist.networks import DigitNetwork, digit_network
from stn_perception.studies.mnist.rows import ROWS
from stn_perception.studies.mnist.study import MnistStudy
from stn_perception.studies.report import StudyReport

EQUIVARIANT, SUPERVISED = "equivariant-affine-r", "supervised-affine-r"
# The distortions that have an angle; an elastic one has many.
MNIST_ROWS = {row.name: row for row in ROWS.values() if row.family and row.kind != "E"}


class InterpretStudy(LearnedStudy):
    """Trains only what the study `mnist` does not; measures both."""

    name = "interpret"
    rows = (EQUIVARIANT, SUPERVISED)

    def network(self, row: str) -> nn.Module:
        """Return st-cnn-affine-r with fresh weights, or its transformer alone."""
        network = digit_network(ROWS["st-cnn-affine-r"])
        if row == EQUIVARIANT:
            return network
        assert network.transformer is not None
        return network.transformer

    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return labels with equivariance, or true angles."""
        if row == EQUIVARIANT:
            return EquivariantLesson(cast(DigitNetwork, network), self.settings(row).steps)
        return SupervisedLesson(cast(SpatialTransformer, network))

    def settings(self, row: str) -> FitSettings:
        """Return those of the study `mnist`, with fewer steps, as each looks twice."""
        of_mnist = MnistStudy().settings("st-cnn-affine-r")
        return of_mnist.model_copy(update={"steps": 6000})

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return the angles' figures, and of a classifier its error."""
        if isinstance(network, DigitNetwork):
            return _scores_of_reader(network, "R")
        return figures(measure(cast(SpatialTransformer, network), "R"))

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Return the table of these and of the study `mnist`."""
        return report({**_of_mnist(), **outcomes}, command)


def write_plot(weights: Path, path: Path) -> None:
    """Write learned over true angles of every network that is trained, seed 0, as SVG.

    Args:
        weights: Folder of this study's weights.
        path: Where, whole or not at all.

    Raises:
        StudyError: None is trained.
    """
    found = {
        name: measure(of[0].transformer, MNIST_ROWS[name].kind)
        for name, of in _mnist_networks().items()
        if 0 in of
    }
    for row in InterpretStudy.rows:
        if (file := weights_path(weights, row, 0)).exists():
            network = InterpretStudy().trained(row, file)
            transformer = network.transformer if isinstance(network, DigitNetwork) else network
            found[row] = measure(cast(SpatialTransformer, transformer), "R")
    if not found:
        raise StudyError(f"{weights} holds no network whose angles could be drawn.")
    write_whole_file(path, scatter(found).encode())


def _of_mnist() -> dict[str, RowOutcome]:
    """Score the shipped networks of the study `mnist`, every seed that there is."""
    return {
        name: RowOutcome(
            {
                seed: _scores_of_reader(network, MNIST_ROWS[name].kind)
                for seed, network in of.items()
            }
        )
        for name, of in _mnist_networks().items()
    }


@torch.no_grad()
def _scores_of_reader(network: DigitNetwork, kind: Kind) -> dict[str, float]:
    error = error_percent(network, fixed_set("test", kind))
    return {**figures(measure(network.transformer, kind)), "error_percent": error}


def _mnist_networks() -> dict[str, dict[int, DigitNetwork]]:
    folder = shipped_weights("mnist")
    return {
        name: {
            seed: cast(DigitNetwork, MnistStudy().trained(name, file))
            for seed in SEEDS
            if (file := weights_path(folder, name, seed)).exists()
        }
        for name in MNIST_ROWS
    }
