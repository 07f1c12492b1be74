# SPDX-License-Identifier: Apache-2.0
"""Count what became of every message taken, so that none disappears unexplained."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from stn_perception.messages.outcomes import DropReason


@dataclass(frozen=True)
class OutcomeCounts:
    """A snapshot of one input's counts since the node was activated for the first time.

    Attributes:
        received: Messages taken from the middleware.
        used: Those that something was published from.
        dropped: The others by reason.
        lost: Messages that the middleware reports lost before they could be taken (not in
            ``received``).
        gaps: Numbers missing in the publishers' sequences: lost ones too, and those that a newer
            one replaced before they were taken.
    """

    received: int
    used: int
    dropped: Mapping[DropReason, int]
    lost: int
    gaps: int

    @property
    def waiting(self) -> int:
        """Messages taken whose outcome is still open."""
        return self.received - self.used - sum(self.dropped.values())


class OutcomeCounter:
    """Counts for one input of one camera; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._used = 0
        self._lost = 0
        self._gaps = 0
        self._dropped: Counter[DropReason] = Counter()

    def count_received(self, count: int = 1) -> None:
        """Messages were taken."""
        with self._lock:
            self._received += count

    def count_used(self, count: int = 1) -> None:
        """Messages taken earlier led to a published result."""
        with self._lock:
            self._used += count

    def count_dropped(self, reason: DropReason, count: int = 1) -> None:
        """Messages taken earlier were given up."""
        with self._lock:
            self._dropped[reason] += count

    def count_lost(self, count: int) -> None:
        """The middleware lost messages before they could be taken."""
        with self._lock:
            self._lost += count

    def count_gap(self, count: int) -> None:
        """Numbers are missing between two messages of one publisher."""
        with self._lock:
            self._gaps += count

    def counts(self) -> OutcomeCounts:
        """All counts at one moment."""
        with self._lock:
            return OutcomeCounts(
                self._received, self._used, dict(self._dropped), self._lost, self._gaps
            )
