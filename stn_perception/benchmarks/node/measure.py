# SPDX-License-Identifier: Apache-2.0
"""Run the chosen cases through the chosen nodes and report them."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stn_perception.benchmarks.node.cases import DEFAULT_CASES, Case, case_of
from stn_perception.benchmarks.node.contenders import OURS, PLAIN, RELAY, Contender, contenders
from stn_perception.benchmarks.node.figures import Figures, figures
from stn_perception.benchmarks.node.flame import Flame
from stn_perception.benchmarks.node.growth import CAMERA_CASES, growth_note
from stn_perception.benchmarks.node.memory import memory_notes, memory_series
from stn_perception.benchmarks.node.passage import Passage, Plan, run_passage
from stn_perception.benchmarks.node.stages import stage_rows
from stn_perception.benchmarks.node.targets import targets
from stn_perception.benchmarks.report import BenchReport, Cell, shown
from stn_perception.node.stop_signal import StopSignal
from stn_perception.runtime.report_parts import markdown_table

_BUSY_CORES = 0.1


@dataclass(frozen=True)
class Choice:
    """What was asked for on the command line.

    Attributes:
        cases: Loads.
        names: Nodes, by name.
        plan: Duration, rate and model.
        warm_up_s: Not counted for latency and cost.
        repetitions: Of every case; the medians are reported.
        threads: ``num_threads`` of our node.
        stages, memory, cameras: What else to report.
        flame: Where the flame graph goes, or None.
        command: What makes these figures.
    """

    cases: tuple[Case, ...]
    names: tuple[str, ...]
    plan: Plan
    warm_up_s: float
    repetitions: int
    threads: int
    stages: bool
    memory: bool
    cameras: bool
    flame: Path | None
    command: str

    @classmethod
    def from_parsed(cls, parsed: argparse.Namespace) -> Choice:
        """Check what was asked for.

        Raises:
            ValueError: One sentence about an impossible value.
        """
        if not 0 <= parsed.warm_up < parsed.duration:
            raise ValueError(
                f"--warm-up is {parsed.warm_up:g}, expected less than --duration "
                f"{parsed.duration:g}"
            )
        if parsed.rate <= 0 or parsed.repetitions < 1:
            raise ValueError(
                f"--rate is {parsed.rate:g} and --repetitions {parsed.repetitions}, expected "
                "more than 0 and at least 1"
            )
        chosen = CAMERA_CASES if parsed.cameras else parsed.case or DEFAULT_CASES
        alone = parsed.only_ours or parsed.cameras or parsed.memory
        return cls(
            cases=tuple(map(case_of, chosen)),
            names=(OURS,) if alone else (OURS, PLAIN, RELAY),
            plan=Plan(parsed.duration, parsed.rate, parsed.model),
            warm_up_s=parsed.warm_up,
            repetitions=parsed.repetitions,
            threads=parsed.threads,
            stages=parsed.stages,
            memory=parsed.memory,
            cameras=parsed.cameras,
            flame=parsed.flame,
            command=" ".join(["stn", *sys.argv[1:]]),
        )


@dataclass(frozen=True)
class _Run:
    case: Case
    contender: Contender
    passage: Passage
    figures: Figures


def measure(choice: Choice, stop: StopSignal) -> BenchReport:
    """Run everything that was chosen.

    Raises:
        PassageError: A process failed.
        Interrupted: Stop was asked for.
    """
    nodes = contenders(choice.threads)
    runs: list[_Run] = []
    for case in choice.cases:
        for number in range(choice.repetitions):
            turn = number % len(choice.names)
            for name in choice.names[turn:] + choice.names[:turn]:
                runs.append(_run(choice, case, nodes[name], stop))
    ours = [run for run in runs if run.contender.name == OURS]
    median = {
        (case.name, name): _median([r.figures for r in _of(runs, case, name)])
        for case in choice.cases
        for name in choice.names
    }
    extra: dict[str, Any] = {}
    notes = _notes(runs)
    if choice.stages:
        extra["stages"] = {
            case.name: stage_rows(_of(ours, case, OURS)[-1].passage, case, median[case.name, OURS])
            for case in choice.cases
        }
        notes += [_shown(name, rows) for name, rows in extra["stages"].items()]
    if choice.memory:
        extra["memory"] = {run.case.name: memory_series(run.passage) for run in ours}
        notes += [note for run in ours for note in memory_notes(run.case, run.passage)]
    if choice.cameras:
        notes.append(growth_note(choice.cases, [median[c.name, OURS] for c in choice.cases]))
    return BenchReport(
        name="node",
        command=choice.command,
        rows=[_row(case, name, median) for case in choice.cases for name in choice.names],
        targets=targets(choice.cases, median),
        notes=notes,
        settings={
            "duration_s": choice.plan.duration_s,
            "warm_up_s": choice.warm_up_s,
            "rate_hz": choice.plan.rate_hz,
            "repetitions": choice.repetitions,
            "model": choice.plan.model,
            "num_threads": choice.threads,
            **extra,
        },
    )


def _run(choice: Choice, case: Case, node: Contender, stop: StopSignal) -> _Run:
    print(f"{case.name} through the {node.name}", file=sys.stderr, flush=True)
    flame = Flame(choice.flame if node.name == OURS else None, choice.plan.duration_s)
    with tempfile.TemporaryDirectory(prefix="stn-bench-") as folder, flame:
        passage = run_passage(node, case, choice.plan, Path(folder), stop, flame.record)
    return _Run(case, node, passage, figures(passage, node, case, choice.warm_up_s))


def _of(runs: Sequence[_Run], case: Case, name: str) -> list[_Run]:
    return [run for run in runs if run.case == case and run.contender.name == name]


def _median(repetitions: Sequence[Figures]) -> Figures:
    """The repetition in the middle, by the median latency."""

    def p50(each: Figures) -> float:
        return float("inf") if each.last_view.p50_ms is None else each.last_view.p50_ms

    ordered = sorted(repetitions, key=p50)
    return ordered[(len(ordered) - 1) // 2]


def _row(case: Case, name: str, median: Mapping[tuple[str, str], Figures]) -> dict[str, Cell]:
    own, plain = median[case.name, name], median.get((case.name, PLAIN))
    return {
        "case": case.name,
        "node": name,
        "plain p50 ÷ this": _quotient(
            plain.last_view.p50_ms if plain else None, own.last_view.p50_ms
        ),
        "plain CPU ÷ this": _quotient(plain.node_cpu_ms if plain else None, own.node_cpu_ms),
        "sent": own.sent,
        "received": own.received,
        "processed": own.processed,
        "published": own.published,
        "p50 ms": own.last_view.p50_ms,
        "p95 ms": own.last_view.p95_ms,
        "p99 ms": own.last_view.p99_ms,
        "first view p50 ms": own.first_view.p50_ms,
        "CPU ms/frame": own.node_cpu_ms,
        "cores, all three": own.cores_used,
    }


def _quotient(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _notes(runs: Sequence[_Run]) -> list[str]:
    """How to read the table, and what disturbed it."""
    notes = [
        "Latency: from the moment the picture is due to the callback of its last view in the "
        "reader's process; CPU: of the node's process per processed frame.",
        "published: frames of which every view reached the reader.",
    ]
    if any(run.contender.name == PLAIN for run in runs):
        notes.append(
            "The plain node runs the network once a box; ours runs it again for every refinement "
            "that the model's card asks for (planar: one)."
        )
    others = [run.figures.others_cores for run in runs]
    if max(others) > _BUSY_CORES:
        notes.append(
            f"Other processes used {statistics.median(others):.2f} cores in the median run and "
            f"{max(others):.2f} in the worst."
        )
    return notes


def _shown(case: str, rows: Sequence[Mapping[str, Cell]]) -> str:
    return f"Stages of {case}:\n\n{markdown_table(rows, shown)}\n"
