# SPDX-License-Identifier: Apache-2.0
"""The numbers of one run of the whole graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RunSummary:
    """What a run did.

    Attributes:
        frames_published: Images that the player sent.
        frames_received: Images that the node took.
        frames_processed: Those that results were published from.
        views_published: Views that the node sent.
        dropped: Frames without results, by reason.
        latency_ms: From a frame's publication to each of its views' arrival, steady clock.
        views_received: Views that the recorder took.
        duration_s: From the first to the last published frame.
        model: The model's name.
        device: Where the network ran.
        late: Messages that the player sent late.
    """

    frames_published: int
    frames_received: int
    frames_processed: int
    views_published: int
    dropped: Mapping[str, int]
    latency_ms: Sequence[float] = field(repr=False)
    views_received: int
    duration_s: float
    model: str
    device: str
    late: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every frame sent was taken and every frame taken has an outcome."""
        outcomes = self.frames_processed + sum(self.dropped.values())
        return self.frames_published == self.frames_received == outcomes

    def latency(self, percent: float) -> float | None:
        """A percentile of the latency in milliseconds; None where no view came."""
        return float(np.percentile(self.latency_ms, percent)) if self.latency_ms else None

    def as_json(self) -> dict[str, Any]:
        """Return the summary for machines."""
        return {
            "frames_published": self.frames_published,
            "frames_received": self.frames_received,
            "frames_processed": self.frames_processed,
            "views_published": self.views_published,
            "views_received": self.views_received,
            "dropped": dict(self.dropped),
            "latency_ms": {
                f"p{percent}": None if (ms := self.latency(percent)) is None else round(ms, 3)
                for percent in (50, 95, 99)
            },
            "model": self.model,
            "device": self.device,
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return the summary as a table for people."""
        seconds = max(self.duration_s, 1e-9)
        dropped = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items() if count)
        latency = " / ".join(
            "-" if (ms := self.latency(percent)) is None else f"{ms:.1f}"
            for percent in (50, 95, 99)
        )
        return [
            ("model", f"{self.model} on {self.device}"),
            ("frames published", f"{self.frames_published} ({self._rate(seconds)})"),
            ("frames received by the node", str(self.frames_received)),
            ("frames processed", str(self.frames_processed)),
            ("frames dropped", dropped or "none"),
            ("views published", f"{self.views_published}"),
            (
                "views received",
                f"{self.views_received} ({self.views_received / seconds:.1f} per second)",
            ),
            ("latency p50 / p95 / p99", f"{latency} ms"),
            ("messages played late", str(self.late)),
        ]

    def _rate(self, seconds: float) -> str:
        return f"{max(0, self.frames_published - 1) / seconds:.1f} per second"
