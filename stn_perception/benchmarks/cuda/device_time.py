# SPDX-License-Identifier: Apache-2.0
"""Time on the device, by its own events, and the speed of its memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from stn_perception.benchmarks.timing import Timing

# Shorter rounds measure the launch of a kernel more than the kernel.
_SHORTEST_ROUND_MS = 5.0
_MOST_REPEATS = 500


def interleaved_on_device(
    contenders: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, Timing]:
    """Time every contender once a round, in an order that turns from round to round.

    From an event before its first launch to one after its last kernel, so that gaps in which the
    device waits for the host count.

    Args:
        contenders: What to time, by name; each launches on the current stream.
        rounds: How many figures each gets.
    """
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}, expected at least 1")
    repeats = {}
    for name, call in contenders.items():
        for _ in range(3):
            call()
        once_ms = max(_milliseconds(call, 3), 1e-4)
        repeats[name] = min(_MOST_REPEATS, max(3, math.ceil(_SHORTEST_ROUND_MS / once_ms)))
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            seconds[name].append(_milliseconds(contenders[name], repeats[name]) / 1e3)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def copy_bytes_per_s(rounds: int, size: int = 1 << 30) -> float:
    """Bytes read and written per second by a copy within the device's memory."""
    source = torch.zeros(size, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    timing = interleaved_on_device({"copy": lambda: target.copy_(source)}, rounds)["copy"]
    return 2 * size / (timing.median_ms / 1e3)


def _milliseconds(call: Callable[[], object], repeats: int) -> float:
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize()
    first.record()
    for _ in range(repeats):
        call()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / repeats
