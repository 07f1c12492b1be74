# SPDX-License-Identifier: Apache-2.0
"""Times of several ways to do one job, taken in turn so that a noisy machine is fair to all."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

# Shorter rounds measure the clock and the cache more than the job.
_SHORTEST_ROUND_S = 0.02
_MOST_REPEATS = 1000
# OpenMP's threads spin for a while after their last work, and hold a core that another wants.
_REST_S = 0.01


@dataclass(frozen=True)
class Timing:
    """Seconds per call of one contender, one figure a round."""

    seconds: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """Median over the rounds, in milliseconds a call."""
        return 1e3 * float(np.median(self.seconds))

    @property
    def fastest_ms(self) -> float:
        """The quickest round, in milliseconds a call: the least disturbed one."""
        return 1e3 * min(self.seconds)


@dataclass(frozen=True)
class Ratio:
    """How many times as long a peer takes as the reference, round by round.

    Attributes:
        median: Median of the rounds' quotients.
        low: 10th percentile.
        high: 90th percentile.
    """

    median: float
    low: float
    high: float


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int = 15
) -> dict[str, Timing]:
    """Time every contender once a round, in another order each round.

    Each is called twice before anything counts, then often enough a round to fill 20 ms, after a
    pause in which the threads of the one before it come to rest. The garbage collector waits
    outside the rounds.

    Args:
        contenders: What to time, by name.
        rounds: How many figures each gets.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}, expected at least 1")
    repeats = {name: _repeats(call) for name, call in contenders.items()}
    names = list(contenders)
    shuffled = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name in shuffled.permutation(names).tolist():
                time.sleep(_REST_S)
                seconds[name].append(_seconds_per_call(contenders[name], repeats[name]))
            gc.collect()
    finally:
        if was_enabled:
            gc.enable()
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def ratio(peer: Timing, reference: Timing) -> Ratio:
    """The peer's time over the reference's, from the quotient of every round."""
    if len(peer.seconds) != len(reference.seconds):
        raise ValueError(
            f"{len(peer.seconds)} and {len(reference.seconds)} rounds, expected the same number"
        )
    quotients = np.divide(peer.seconds, reference.seconds)
    low, median, high = np.percentile(quotients, [10, 50, 90])
    return Ratio(float(median), float(low), float(high))


def _repeats(call: Callable[[], object]) -> int:
    call()
    once = max(_seconds_per_call(call, 1), 1e-7)
    return min(_MOST_REPEATS, max(1, math.ceil(_SHORTEST_ROUND_S / once)))


def _seconds_per_call(call: Callable[[], object], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats
