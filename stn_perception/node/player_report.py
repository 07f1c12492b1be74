# SPDX-License-Identifier: Apache-2.0
"""What a replay reports."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class PlayReport:
    """What was played.

    Attributes:
        bag: The recording.
        published: Messages sent, by the name they were sent under.
        late: Messages sent later than the options allow.
        max_late_s: The most that a message was late.
        duration_s: Wall time from the first to the last message.
        interrupted: Whether it was stopped before the end.
    """

    bag: str
    published: Counter[str] = field(default_factory=Counter)
    late: int = 0
    max_late_s: float = 0.0
    duration_s: float = 0.0
    interrupted: bool = False

    def sentence(self) -> str:
        """Say it in a line."""
        total = sum(self.published.values())
        late = f", {self.late} of them late (up to {1000 * self.max_late_s:.0f} ms)"
        return (
            f"{'Stopped after' if self.interrupted else 'Played'} {total} messages on "
            f"{len(self.published)} topics in {self.duration_s:.1f} s"
            f"{late if self.late else ', none late'}."
        )

    def count(self, topic: str, late_s: float, late_after_s: float) -> None:
        """A message was sent ``late_s`` after its time."""
        self.published[topic] += 1
        self.max_late_s = max(self.max_late_s, late_s)
        self.late += late_s > late_after_s

    def to_json(self) -> str:
        """Return the report for machines."""
        return json.dumps({**vars(self), "published": dict(self.published)}, indent=1) + "\n"
