# SPDX-License-Identifier: Apache-2.0
"""Run `stn evaluate` as a command on so many cores, and watch its processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from stn_perception.benchmarks.evaluation.looped_bag import Loop, write_looped_bag
from stn_perception.benchmarks.report import BenchReport, Cell, number
from stn_perception.runtime.report_parts import Target

_WATCH_S = 0.2
_FIGURES = "figures.json"
_MIB = 1 << 20


@dataclass(frozen=True)
class Run:
    """One command.

    Attributes:
        seconds: From its start to its end, imports and report included.
        evaluation_s: What it says of itself: scan, workers' start and all frames.
    """

    seconds: float
    evaluation_s: float


def measure(source: Path, loop: Loop, model: str, rounds: int, most: int) -> BenchReport:
    """Evaluate one long bag with 1, 2, … workers, in turn.

    Args:
        source: The recording that is looped.
        loop: How.
        model: What to run.
        rounds: Runs of each number of workers; the median counts.
        most: Most workers; 0: one a core.
    """
    cores = sorted(os.sched_getaffinity(0))
    counts = range(1, (most or len(cores)) + 1)
    runs: dict[int, list[Run]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / "looped"
        write_looped_bag(source, bag, loop)
        # To watch costs time, so the runs for memory are not timed.
        memory = {count: _memory(bag, model, cores[:count], Path(folder)) for count in counts}
        for _ in range(rounds):
            for count in counts:
                runs[count].append(_run(bag, model, cores[:count], Path(folder)))
    rows = [_row(count, runs[count], memory[count], loop, runs[1]) for count in counts]
    return BenchReport(
        name="evaluation",
        command="stn bench evaluation",
        rows=rows,
        targets=_targets(rows),
        notes=[
            "One worker runs on one core with the scheduler and the command itself beside it; "
            "N workers have N cores, each worker kept to its own.",
        ],
        settings={"model": model, "rounds": rounds, **vars(loop)},
    )


def _targets(rows: list[dict[str, Cell]]) -> list[Target]:
    two = next((row for row in rows if row["workers"] == 2), None)
    if two is None:
        return []
    return [
        Target("times real time, two cores", number(two, "times real time"), 5.0, True),
        Target("two workers over one", number(two, "over one worker"), 1.7, True),
    ]


def _row(
    count: int, runs: list[Run], memory: _Watch, loop: Loop, ones: list[Run]
) -> dict[str, Cell]:
    whole = statistics.median(run.seconds for run in runs)
    inner = statistics.median(run.evaluation_s for run in runs)
    return {
        "workers": count,
        "times real time": loop.seconds / whole,
        "over one worker": statistics.median(run.seconds for run in ones) / whole,
        "frames a second": loop.frames / whole,
        "whole command s": whole,
        "evaluation s": inner,
        "peak MiB a worker": memory.worker / _MIB,
        "peak MiB in all": memory.all / _MIB,
    }


def _run(bag: Path, model: str, cores: list[int], folder: Path) -> Run:
    began = time.perf_counter()
    _finish(_start(bag, model, cores, folder))
    seconds = time.perf_counter() - began
    content = json.loads((folder / _FIGURES).read_text(encoding="utf-8"))
    return Run(seconds, content["seconds"])


def _memory(bag: Path, model: str, cores: list[int], folder: Path) -> _Watch:
    process = _start(bag, model, cores, folder)
    watch = _Watch(process.pid)
    try:
        _finish(process)
    finally:
        watch.stop()
    return watch


def _start(bag: Path, model: str, cores: list[int], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stn_perception.cli", "evaluate", str(bag)]
    command += ["--model", model, "--workers", str(len(cores)), "--pin", "--probe-every", "0"]
    command += ["--output", str(folder / "out"), "--json", str(folder / _FIGURES)]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )


def _finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the evaluation failed: {errors.strip()}")


class _Watch:
    """Looks at the memory of a process and its children now and then.

    Attributes:
        worker: Most bytes of one worker process.
        all: Most bytes of all processes at one moment, shared pages counted in each.
    """

    def __init__(self, pid: int) -> None:
        self.worker = self.all = 0
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(_WATCH_S):
            try:
                children = self._process.children(recursive=True)
                sizes = [self._process.memory_info().rss]
            except psutil.NoSuchProcess:
                return
            for child in children:
                try:
                    sizes.append(child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue  # it ended between the two looks
            self.worker = max(self.worker, *(sizes[1:] or [0]))
            self.all = max(self.all, sum(sizes))
