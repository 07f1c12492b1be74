# SPDX-License-Identifier: Apache-2.0
"""The steps of a start, and one real start."""

from __future__ import annotations

import os
import zlib

import pytest

from stn_perception.benchmarks.node.cases import case_of
from stn_perception.benchmarks.node.passage import PassageError
from stn_perception.benchmarks.start.measure import FIRST_VIEW, measure, steps_in
from stn_perception.node.startup import Startup
from stn_perception.node.stop_signal import StopSignal


def test_steps_are_read_from_the_nodes_own_line() -> None:
    startup = Startup()
    startup.mark("imports of the pipeline")
    startup.mark("name check")
    steps = steps_in(f"[INFO] [1.2] [canonicalizer]: Active with 'a'. {startup.sentence()}\n")
    assert list(steps) == ["imports of the pipeline", "name check"]
    assert all(seconds >= 0 for seconds in steps.values())


def test_a_node_that_tells_no_steps_is_an_error() -> None:
    with pytest.raises(PassageError, match="nothing about the steps"):
        steps_in("[INFO] hello\n")


@pytest.mark.ros
@pytest.mark.slow
def test_the_steps_of_a_real_start_add_up_to_its_first_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    domain = 1 + zlib.crc32(f"start {os.getpid()}".encode()) % 100
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    with StopSignal() as stop:
        report = measure(case_of("vga-1"), "planar", 1, stop)
    seconds = {str(row["step"]): float(row["median s"] or 0) for row in report.rows}
    whole = seconds.pop(FIRST_VIEW)
    assert {"interpreter", "imports", "name check", "model and warm-up"} <= set(seconds)
    assert sum(seconds.values()) == pytest.approx(whole, abs=0.05)
    assert report.targets[0].value == pytest.approx(whole)
