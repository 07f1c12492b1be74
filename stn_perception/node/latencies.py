# SPDX-License-Identifier: Apache-2.0
"""Rates and latency percentiles over the last seconds, on the steady clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

WINDOW_S = 10.0
_MAX_SAMPLES = 4096


@dataclass(frozen=True)
class Percentiles:
    """Median, 95th and 99th percentile in milliseconds over ``samples`` durations."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    samples: int


class Latencies:
    """Durations by stage; may be fed and read from any thread."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._stages: dict[str, deque[tuple[float, float]]] = {}

    def add(self, durations_s: Mapping[str, float]) -> None:
        """Take one duration, in seconds, for each stage named."""
        now = self._clock_s()
        with self._lock:
            for stage, duration_s in durations_s.items():
                samples = self._stages.setdefault(stage, deque(maxlen=_MAX_SAMPLES))
                samples.append((now, duration_s))
                # What nobody will ask for again would be looked through at every report.
                while samples[0][0] < now - WINDOW_S:
                    samples.popleft()

    def percentiles(self) -> dict[str, Percentiles]:
        """Percentiles of each stage that ran within the window."""
        oldest = self._clock_s() - WINDOW_S
        with self._lock:
            recent = {
                stage: [duration for at, duration in samples if at >= oldest]
                for stage, samples in self._stages.items()
            }
        return {stage: _percentiles(values) for stage, values in recent.items() if values}


def _percentiles(durations_s: list[float]) -> Percentiles:
    p50, p95, p99 = (1e3 * np.percentile(durations_s, (50, 95, 99))).tolist()
    return Percentiles(p50, p95, p99, len(durations_s))


class Rate:
    """Events, counted and per second within the window; fed and read from any thread."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._times: deque[float] = deque(maxlen=_MAX_SAMPLES)
        self._last_s: float | None = None
        self._total = 0

    def tick(self) -> None:
        """An event happened now."""
        with self._lock:
            self._last_s = self._clock_s()
            self._times.append(self._last_s)
            self._total += 1

    def hertz(self) -> float:
        """Rate over the window, or over the time since its first event."""
        now = self._clock_s()
        with self._lock:
            while self._times and self._times[0] < now - WINDOW_S:
                self._times.popleft()
            if len(self._times) < 2:
                return 0.0
            return (len(self._times) - 1) / max(now - self._times[0], 1e-9)

    @property
    def last_s(self) -> float | None:
        """Steady time of the last event, or None."""
        with self._lock:
            return self._last_s

    @property
    def total(self) -> int:
        """Number of all events."""
        with self._lock:
            return self._total
