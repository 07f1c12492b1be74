# SPDX-License-Identifier: Apache-2.0
"""From what the processes noted to rates, latencies and costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.contenders import Contender
from stn_perception.benchmarks.node.passage import Passage
from stn_perception.benchmarks.node.process_use import MACHINE

_RECEIVED = re.compile(r"received (\d+)")


@dataclass(frozen=True)
class Quantiles:
    """Median, 95th and 99th percentile in milliseconds; None where nothing came."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Figures:
    """One load through one node.

    Attributes:
        sent: Frames of all cameras.
        received: Frames that the node took, as it counted them.
        processed: Frames that came out as a result.
        published: Frames of which every view reached the sink.
        views: Views that reached the sink.
        first_view: From the stamp to the first slot's view in the sink's callback.
        last_view: From the stamp to the last view of the frame.
        written: From the stamp to the moment the node handed the last view to the middleware.
        node_cpu_ms: Processor time of the node's process per processed frame.
        source_cpu_ms, sink_cpu_ms: Of the others, per frame sent.
        cores_used: Processor time of all three over the time.
        others_cores: What else ran on the machine; above a tenth of a core the figures suffer.
        late_ms: How late the source was, 99th percentile.
    """

    sent: int
    received: int
    processed: int
    published: int
    views: int
    first_view: Quantiles
    last_view: Quantiles
    written: Quantiles
    node_cpu_ms: float | None
    source_cpu_ms: float
    sink_cpu_ms: float
    cores_used: float
    others_cores: float
    late_ms: float


def figures(passage: Passage, contender: Contender, case: Case, warm_up_s: float) -> Figures:
    """The figures of one run.

    Args:
        passage: What was noted.
        contender: The node.
        case: The load.
        warm_up_s: Frames of the first seconds count as sent and received, but not for
            latency and cost.
    """
    stamps = np.array(passage.source["stamps_ns"], np.int64)
    if len(stamps) < 2:
        raise ValueError(f"{len(stamps)} frames were sent, expected at least 2")
    measured = stamps[stamps >= min(stamps[0] + warm_up_s * 1e9, stamps[-2])]
    window = (int(measured[0]), int(measured[-1]))
    first, last, written, views, complete, results = [], [], [], 0, 0, 0
    processed_in_window = 0
    for camera in case.camera_names:
        topics = [contender.view(camera, number) for number in range(case.objects)]
        arrived = [_by_stamp(passage.sink["topics"][topic], "arrived_ns") for topic in topics]
        handed = [_by_stamp(passage.sink["topics"][topic], "written_ns") for topic in topics]
        result = _by_stamp(passage.sink["topics"][contender.result(camera)], "arrived_ns")
        results += len(result)
        processed_in_window += sum(window[0] <= stamp < window[1] for stamp in result)
        views += sum(map(len, arrived))
        for stamp in stamps.tolist():
            if not all(stamp in each for each in arrived):
                continue
            complete += 1
            if stamp >= window[0]:
                first.append(arrived[0][stamp] - stamp)
                last.append(max(each[stamp] for each in arrived) - stamp)
                written.append(max(each[stamp] for each in handed) - stamp)
    cpu = {name: use.cpu_between_s(*window) for name, use in passage.uses.items()}
    machine_s, window_s = cpu.pop(MACHINE), (window[1] - window[0]) / 1e9
    sent_in_window = (len(measured) - 1) * case.cameras
    return Figures(
        sent=len(stamps) * case.cameras,
        received=_received(passage, case, results),
        processed=results,
        published=complete,
        views=views,
        first_view=_quantiles(first),
        last_view=_quantiles(last),
        written=_quantiles(written),
        node_cpu_ms=1e3 * cpu["node"] / processed_in_window if processed_in_window else None,
        source_cpu_ms=1e3 * cpu["source"] / sent_in_window,
        sink_cpu_ms=1e3 * cpu["sink"] / sent_in_window,
        cores_used=sum(cpu.values()) / window_s,
        others_cores=max(0.0, machine_s - sum(cpu.values())) / window_s,
        late_ms=float(np.percentile(passage.source["late_ms"], 99)),
    )


def stage_ms(passage: Passage, case: Case) -> dict[str, dict[str, float]]:
    """The node's own stage times of its first camera: stage to p50, p95 and p99."""
    values: Mapping[str, str] = passage.sink["diagnostics"].get(case.camera_names[0], {})
    stages: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        parts = key.split(".")
        if parts[0] == "latency" and len(parts) == 3:
            stages.setdefault(parts[1], {})[parts[2]] = float(value)
    return stages


def _received(passage: Passage, case: Case, results: int) -> int:
    diagnostics = passage.sink["diagnostics"]
    if all(name in diagnostics for name in case.camera_names):
        return sum(int(diagnostics[name]["frames.received"]) for name in case.camera_names)
    match = _RECEIVED.search(passage.node_said)
    return int(match[1]) if match else results


def _by_stamp(arrivals: Mapping[str, Any], name: str) -> dict[int, int]:
    return dict(zip(arrivals["stamps_ns"], arrivals[name], strict=True))


def _quantiles(durations_ns: list[int]) -> Quantiles:
    if not durations_ns:
        return Quantiles(None, None, None)
    values: NDArray[np.float64] = np.percentile(durations_ns, (50, 95, 99)) / 1e6
    p50, p95, p99 = values.tolist()
    return Quantiles(p50, p95, p99)
