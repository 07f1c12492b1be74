# SPDX-License-Identifier: Apache-2.0
"""One load through one node: start source, node and sink, and collect what they noted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.contenders import Contender
from stn_perception.benchmarks.node.process_use import Use, UseSampler
from stn_perception.node.demo_processes import Child, Children
from stn_perception.node.stop_signal import StopSignal

_START_TIMEOUT_S = 120.0
_SETTLE_S = 1.6  # the node tells its counts once a second
_POLL_S = 0.05


class PassageError(Exception):
    """A process failed; the message is one sentence for the user."""


class Interrupted(Exception):  # noqa: N818 - no error: the user asked for it
    """Ctrl-C."""


@dataclass(frozen=True)
class Plan:
    """How long and how often frames are sent.

    Attributes:
        duration_s: Of the sending.
        rate_hz: Frames per second of each camera.
        model: Archive or shipped name.
    """

    duration_s: float
    rate_hz: float
    model: str

    @property
    def frames(self) -> int:
        """Frames that each camera sends."""
        return max(1, round(self.duration_s * self.rate_hz))


@dataclass(frozen=True)
class Passage:
    """What the processes noted.

    Attributes:
        source: Stamps sent, and how late.
        sink: Arrivals by topic, and the node's last diagnostics.
        uses: Processor time and memory by process.
        node_said: The last line that the node printed.
    """

    source: Mapping[str, Any]
    sink: Mapping[str, Any]
    uses: Mapping[str, Use]
    node_said: str


def run_passage(
    contender: Contender,
    case: Case,
    plan: Plan,
    folder: Path,
    stop: StopSignal,
    while_running: Callable[[int], None] | None = None,
) -> Passage:
    """Run the three processes from start to end; none outlives this call.

    Args:
        contender: The node.
        case: The load.
        plan: Duration and rate.
        folder: For reports and logs; empty.
        stop: Ends the run.
        while_running: Called once with the node's process id when frames begin to flow.

    Raises:
        PassageError: A process failed; its last words are in the message.
        Interrupted: Stop was asked for.
    """
    with Children(folder) as children:
        node = children.start("node", contender.module, contender.arguments(case, plan.model))
        sink = start_sink(children, contender, case, folder)
        wait_until(stop, [node, sink], (folder / "ready").exists, _START_TIMEOUT_S)
        source = start_source(children, contender, case, folder, plan.frames, plan.rate_hz)
        processes = {"node": node.pid, "sink": sink.pid, "source": source.pid}
        with UseSampler(processes) as sampler:
            if while_running is not None:
                while_running(node.pid)
            wait_until(
                stop,
                [node, sink],
                lambda: source.exit_code() is not None,
                _START_TIMEOUT_S + plan.duration_s,
            )
            if source.exit_code() != 0:
                raise PassageError(f"the source failed: {source.last_words()}")
            stop.wait(_SETTLE_S)
        if sink.stop() != 0:
            raise PassageError(f"the sink failed: {sink.last_words()}")
        if node.stop() != 0:
            raise PassageError(f"the {contender.name} failed: {node.last_words()}")
    return Passage(
        source=json.loads((folder / "source.json").read_text(encoding="utf-8")),
        sink=json.loads((folder / "sink.json").read_text(encoding="utf-8")),
        uses=sampler.uses,
        node_said=node.last_words(),
    )


def start_sink(children: Children, contender: Contender, case: Case, folder: Path) -> Child:
    """Start the reader; it makes ``ready`` once every topic has a writer, ``first`` at a view."""
    arguments = [
        *("--views", *contender.view_topics(case)),
        *("--results", *contender.result_topics(case)),
        *("--transport", contender.transport),
        *("--ready", str(folder / "ready")),
        *("--first", str(folder / "first")),
        *("--report", str(folder / "sink.json")),
    ]
    return children.start("sink", "stn_perception.benchmarks.node.sink", arguments)


def start_source(
    children: Children,
    contender: Contender,
    case: Case,
    folder: Path,
    frames: int,
    rate_hz: float,
    needed: Sequence[str] | None = None,
) -> Child:
    """Start the cameras; they wait until the needed topics (by default all inputs) are read."""
    arguments = [
        case.name,
        *("--frames", str(frames)),
        *("--rate", str(rate_hz)),
        *("--transport", contender.transport),
        *("--needed", *(contender.needs if needed is None else needed)),
        *("--report", str(folder / "source.json")),
    ]
    return children.start("source", "stn_perception.benchmarks.node.source", arguments)


def wait_until(
    stop: StopSignal, alive: list[Child], done: Callable[[], bool], timeout_s: float
) -> None:
    """Wait until something is done.

    Raises:
        PassageError: One of the processes ended, or it took too long.
        Interrupted: Stop was asked for.
    """
    deadline_s = time.monotonic() + timeout_s
    while not done():
        if stop.wait(_POLL_S):
            raise Interrupted
        for child in alive:
            if child.exit_code() is not None:
                raise PassageError(f"the {child.name} ended: {child.last_words()}")
        if time.monotonic() > deadline_s:
            raise PassageError(f"nothing came through within {timeout_s:.0f} s")
