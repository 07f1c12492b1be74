# SPDX-License-Identifier: Apache-2.0
"""What the networks of a study's rows reached, over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stn_perception.studies.learning.weights import TrainingFacts
from stn_perception.studies.report import Spread


@dataclass(frozen=True)
class RowOutcome:
    """One row of the table.

    Attributes:
        scores: Figures on the test split by seed; no seed at all where nothing is trained yet.
        facts: How each seed's network came to be.
    """

    scores: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    facts: Mapping[int, TrainingFacts] = field(default_factory=dict)

    def spread(self, key: str) -> Spread | str:
        """Return a figure over the seeds, or that there is none yet."""
        values = [scores[key] for _, scores in sorted(self.scores.items())]
        return Spread(tuple(values)) if values else "not yet run"

    def best_known(self, key: str) -> float | None:
        """Return the mean of a figure over the seeds; None where nothing is trained yet."""
        found = self.spread(key)
        return found.mean if isinstance(found, Spread) else None

    @property
    def parameters(self) -> int | None:
        """Numbers that the network learns."""
        return next((facts.parameters for facts in self.facts.values()), None)

    @property
    def training_minutes(self) -> float | None:
        """Mean time of a training."""
        if not self.facts:
            return None
        return sum(facts.seconds for facts in self.facts.values()) / len(self.facts) / 60


Outcomes = Mapping[str, RowOutcome]
