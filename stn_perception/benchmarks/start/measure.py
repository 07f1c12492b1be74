# SPDX-License-Identifier: Apache-2.0
"""Start the node beside a camera that runs and a reader that waits, and time its first view."""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.contenders import OURS, Contender, contenders
from stn_perception.benchmarks.node.passage import (
    PassageError,
    start_sink,
    start_source,
    wait_until,
)
from stn_perception.benchmarks.report import BenchReport, Cell
from stn_perception.node.demo_processes import Children
from stn_perception.node.name_guard import NAMES_FOLLOW_S
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.transport import announcement_period_s, profile_environment
from stn_perception.runtime.report_parts import Target

_LIMIT_S = 5.0
_RATE_HZ = 30.0
_LONGEST_S = 60.0
_FRAMES = 2 * round(_LONGEST_S * _RATE_HZ)
_BEFORE_S = 3.0  # camera and reader come up
_LATER_FRAMES_S = 1.5
_STEP = re.compile(r"([a-z][a-z -]*?) (\d+\.\d+) s")
FIRST_VIEW = "first view"


def measure(case: Case, model: str, repetitions: int, stop: StopSignal) -> BenchReport:
    """Start the node several times.

    Raises:
        PassageError: A process failed.
        Interrupted: Stop was asked for.
    """
    node = contenders(threads=0)[OURS]
    starts = []
    for number in range(repetitions):
        print(f"start {number + 1} of {repetitions}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="stn-bench-") as folder:
            starts.append(_one_start(node, case, model, Path(folder), stop))
    rows = [_row(name, [start[name] for start in starts]) for name in starts[0]]
    totals = [start[FIRST_VIEW] for start in starts]
    in_force = {**os.environ, **profile_environment(os.environ, Path.cwd())}
    wait_s = announcement_period_s(in_force) + NAMES_FOLLOW_S
    return BenchReport(
        name="start",
        command=" ".join(["stn", *sys.argv[1:]]),
        rows=rows,
        targets=[
            Target("process start to first view in s", statistics.median(totals), _LIMIT_S, False)
        ],
        notes=[
            "Steps as the node tells them; first view: from the start of its process to the "
            "first view in the reader's callback, with a camera that was there before.",
            "name check: what is left of the wait for another node of the same name, which runs "
            "from joining the graph on and beside the next two steps; it lasts one announcement "
            f"period of Fast DDS and a second more ({wait_s:g} s with the profile in force).",
        ],
        settings={"case": case.name, "model": model, "repetitions": repetitions},
    )


def _one_start(
    node: Contender, case: Case, model: str, folder: Path, stop: StopSignal
) -> Mapping[str, float]:
    """Seconds by step, the whole last."""
    with Children(folder) as children:
        sink = start_sink(children, node, case, folder)
        source = start_source(children, node, case, folder, _FRAMES, _RATE_HZ, needed=())
        settled_s = time.monotonic() + _BEFORE_S
        wait_until(stop, [sink, source], lambda: time.monotonic() > settled_s, 2 * _BEFORE_S)
        started_ns = time.time_ns()
        child = children.start("node", node.module, node.arguments(case, model))
        wait_until(stop, [child, sink, source], (folder / "first").exists, _LONGEST_S)
        seen_s = time.monotonic() + _LATER_FRAMES_S
        wait_until(stop, [child, sink], lambda: time.monotonic() > seen_s, 2 * _LATER_FRAMES_S)
        for process in (source, sink, child):
            if process.stop() != 0:
                raise PassageError(f"the {process.name} failed: {process.last_words()}")
        log = child.log.read_text(encoding="utf-8", errors="replace")
        report = json.loads((folder / "sink.json").read_text(encoding="utf-8"))
    views = [report["topics"][topic] for topic in node.view_topics(case)]
    first_ns = min(min(view["arrived_ns"]) for view in views if view["arrived_ns"])
    steps = steps_in(log)
    total_s = (first_ns - started_ns) / 1e9
    rest_s = total_s - sum(steps.values())
    return {**steps, "subscribing and first frame": rest_s, FIRST_VIEW: total_s}


def steps_in(log: str) -> dict[str, float]:
    """Seconds by step, from the node's own line about its start.

    Raises:
        PassageError: The node said nothing about its start.
    """
    for line in log.splitlines():
        _, mark, rest = line.partition("Start: ")
        if mark:
            return {name.strip(): float(s) for name, s in _STEP.findall(rest.partition("(")[2])}
    raise PassageError("the node said nothing about the steps of its start")


def _row(name: str, seconds: list[float]) -> dict[str, Cell]:
    middle = statistics.median(seconds)
    return {
        "of the limit": middle / _LIMIT_S,
        "step": name,
        "median s": middle,
        "fastest s": min(seconds),
        "slowest s": max(seconds),
    }
