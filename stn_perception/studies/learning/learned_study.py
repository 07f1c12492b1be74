# SPDX-License-Identifier: Apache-2.0
"""A study whose rows are trained networks: what it has to say, and what follows from that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.lesson import Lesson
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.learning.weights import read_weights
from stn_perception.studies.report import StudyReport


class LearnedStudy(ABC):
    """The rows of a study, how each is trained and scored, and the table made of them.

    Attributes:
        name: Of the study, as in `stn study NAME`.
        rows: Their names, in the order of the table: lower case, with dashes.
    """

    name: str
    rows: Sequence[str]

    @abstractmethod
    def network(self, row: str) -> nn.Module:
        """Return a row's network with fresh weights, drawn from torch's own generator."""

    @abstractmethod
    def lesson(self, row: str, network: nn.Module) -> Lesson:
        """Return what a row's network learns from."""

    @abstractmethod
    def settings(self, row: str) -> FitSettings:
        """Return the optimisation of a row."""

    @abstractmethod
    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return a trained network's figures on the test split; without gradients."""

    @abstractmethod
    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the tables; rows that are not trained yet have outcomes without seeds.

        Args:
            outcomes: Every row's, in the table's order.
            command: What makes these figures.
        """

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw what the trained networks look at as a JPEG.

        Args:
            weights: Folder of the trained networks.
            path: The picture's.

        Raises:
            StudyError: The study has no picture, or weights that it needs are missing.
        """
        raise StudyError(f"--picture is given, but the study {self.name} has no picture.")

    def trained(self, row: str, path: Path) -> nn.Module:
        """Return a row's network with the weights of a file, in evaluation mode.

        Raises:
            StudyError: The file cannot be read, or is of another network.
        """
        network = self.network(row)
        read_weights(path, network)
        return network.eval()
