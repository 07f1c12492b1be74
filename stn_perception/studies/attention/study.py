# SPDX-License-Identifier: Apache-2.0
"""Where to look: full attention, fixed glimpses, REINFORCE's and the spatial transformer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from torch import nn

from stn_perception.studies.attention.cost import million_operations
from stn_perception.studies.attention.glimpse_network import Choice, GlimpseNetwork
from stn_perception.studies.attention.lesson import SCORED_SCENES, DigitPair, figures
from stn_perception.studies.attention.patch_network import PatchNetwork
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.report import Cell, StudyReport

FULL = "full-attention"
_PREFIX = "glimpses-"


class AttentionStudy(LearnedStudy):
    """One network that sees everything and three that look three times."""

    name = "attention"
    rows: Sequence[str] = (FULL, "glimpses-fixed", "glimpses-reinforce", "glimpses-stn")

    def network(self, row: str) -> nn.Module:
        """Return a row's network."""
        if row == FULL:
            # As many operations for a picture as the glimpses: 3.52 million.
            return PatchNetwork(width=44, layers=2, channels=(8, 12))
        return GlimpseNetwork(cast(Choice, row.removeprefix(_PREFIX)))

    def lesson(self, row: str, network: nn.Module) -> DigitPair:
        """Return the two digits of a scene; what chooses where to look learns gently."""
        localization = network.choosing() if isinstance(network, GlimpseNetwork) else []
        return DigitPair(network, localization)

    def settings(self, row: str) -> FitSettings:
        """Return the optimisation, the same for every row."""
        return FitSettings(
            steps=1200,
            batch_size=64,
            learning_rate=2e-3,
            localization_factor=0.2,
            average_decay=0.995,
        )

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        """Return what is right on the test split's scenes, and what a scene costs."""
        return {**figures(network, "test"), "operations": million_operations(network)}

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        """Make the table; there is nothing that it is held to but itself."""
        return StudyReport(
            name=self.name,
            command=command,
            tables={"Two digits in clutter": [_cells(*pair) for pair in outcomes.items()]},
            notes=[
                f"{SCORED_SCENES} scenes of 72×72 pixels with digits that no training scene has; "
                "guessing gets 2.2 % of the pairs right.",
                "Looked at: digits with a glimpse, 32×32 pixels, centred within 8 pixels of them.",
            ],
        )

    def write_picture(self, weights: Path, path: Path) -> None:
        """Draw scenes with the glimpses of each way to choose them."""
        from stn_perception.studies.attention.picture import write_picture

        write_picture(self, weights, path)


def _cells(row: str, outcome: RowOutcome) -> dict[str, Cell]:
    looks = row != FULL
    samples = next((facts.samples for facts in outcome.facts.values()), None)
    return {
        "row": row,
        "both digits right, %": outcome.spread("both_percent"),
        "digits right, %": outcome.spread("digits_percent"),
        "looked at, %": outcome.spread("found_percent") if looks else None,
        "million operations": outcome.best_known("operations"),
        "parameters": outcome.parameters,
        "training scenes": samples,
        "minutes": outcome.training_minutes,
    }
