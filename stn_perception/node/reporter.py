# SPDX-License-Identifier: Apache-2.0
"""Tell the user about trouble once in a while, and remember the last of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PERIOD_S = 5.0


class Reporter:
    """Warnings by key, each at most every few seconds; may be called from any thread.

    Args:
        warn: Takes a sentence for the log.
        clock_s: Steady seconds.
    """

    def __init__(
        self, warn: Callable[[str], None], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._warn = warn
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, int]] = {}
        self._last = ""

    def report(self, key: str, sentence: str) -> None:
        """Log a sentence, unless one with this key was logged a moment ago."""
        now = self._clock_s()
        with self._lock:
            self._last = sentence
            told_s, silent = self._told.get(key, (now - PERIOD_S, 0))
            due = now - told_s >= PERIOD_S
            self._told[key] = (now, 0) if due else (told_s, silent + 1)
        if due:
            more = f" ({silent} more like this since the last report)" if silent else ""
            self._warn(f"{sentence}{more}")

    @property
    def last(self) -> str:
        """The last sentence reported, told or not; "" if there was none."""
        with self._lock:
            return self._last
