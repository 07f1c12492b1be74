# SPDX-License-Identifier: Apache-2.0
"""What our node is held to on two cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.contenders import OURS, PLAIN
from stn_perception.benchmarks.node.figures import Figures
from stn_perception.runtime.report_parts import Target

_LATENCY_MS = {"vga-4": (8.0, 20.0), "1080p-4": (14.0, 30.0)}
_CPU_SHARE = 1 / 3


def targets(cases: Sequence[Case], median: Mapping[tuple[str, str], Figures]) -> list[Target]:
    """The targets of those cases that have some."""
    found: list[Target] = []
    for case in cases:
        own, plain = median[case.name, OURS], median.get((case.name, PLAIN))
        if case.name in _LATENCY_MS:
            p50_ms, p99_ms = _LATENCY_MS[case.name]
            for name, value, limit in (
                ("p50", own.last_view.p50_ms, p50_ms),
                ("p99", own.last_view.p99_ms, p99_ms),
            ):
                if value is not None:
                    found.append(Target(f"{case.name} {name} in ms", value, limit, False))
            share = own.received / own.sent
            found.append(Target(f"{case.name} share of frames received", share, 1.0, True))
        if plain is not None and plain.node_cpu_ms and own.node_cpu_ms:
            share = own.node_cpu_ms / plain.node_cpu_ms
            name = f"{case.name} CPU per frame over the plain node's"
            found.append(Target(name, share, _CPU_SHARE, False))
    return found
