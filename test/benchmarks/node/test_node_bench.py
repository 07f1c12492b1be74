# SPDX-License-Identifier: Apache-2.0
"""Loads, figures and a real passage of `stn bench node`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from stn_perception.benchmarks.node.cases import DEFAULT_CASES, case_of
from stn_perception.benchmarks.node.contenders import OURS, PLAIN, RELAY, contenders
from stn_perception.benchmarks.node.figures import figures
from stn_perception.benchmarks.node.growth import CAMERA_CASES, growth_note
from stn_perception.benchmarks.node.memory import memory_series
from stn_perception.benchmarks.node.passage import Passage, Plan, run_passage
from stn_perception.benchmarks.node.process_use import MACHINE, Use, processor_s, resident_bytes
from stn_perception.benchmarks.node.scene import pictures
from stn_perception.benchmarks.node.stages import stage_rows
from stn_perception.benchmarks.node.targets import targets
from stn_perception.node.stop_signal import StopSignal

ROOT = Path(__file__).parents[3]
SECOND_NS = 1_000_000_000
FIRST_NS = 1_000 * SECOND_NS


def passage(latencies_ms: list[float | None], cpu_ms: float = 10.0, node: str = PLAIN) -> Passage:
    """One frame a second of one object, each with its latency or lost; the last one ends it."""
    case = case_of("vga-1")
    stamps = [FIRST_NS + number * SECOND_NS for number in range(len(latencies_ms))]
    came = [(s, ms) for s, ms in zip(stamps, latencies_ms, strict=True) if ms is not None]
    arrivals = {
        "stamps_ns": [stamp for stamp, _ in came],
        "arrived_ns": [stamp + round(ms * 1e6) for stamp, ms in came],
        "written_ns": [stamp + round(ms * 5e5) for stamp, ms in came],
    }
    contender = contenders(0)[node]
    topics = {*contender.view_topics(case), *contender.result_topics(case)}
    ends = [FIRST_NS, stamps[-1]]
    span_s = (stamps[-1] - FIRST_NS) / 1e9
    uses = {
        name: Use(ends, [0.0, share * span_s], [0, 0])
        for name, share in {"node": cpu_ms / 1e3, "sink": 0.0, "source": 0.0, MACHINE: 1.5}.items()
    }
    diagnostics: dict[str, dict[str, str]] = {}
    return Passage(
        source={"stamps_ns": stamps, "late_ms": [0.0] * len(stamps)},
        sink={"topics": dict.fromkeys(topics, arrivals), "diagnostics": diagnostics},
        uses=uses,
        node_said="received 7",
    )


def test_a_case_says_size_objects_and_cameras() -> None:
    case = case_of("1080p-16-4cams")
    assert (case.width, case.height, case.objects, case.cameras) == (1920, 1080, 16, 4)
    assert case.camera_names == ("camera0", "camera1", "camera2", "camera3")
    assert [case_of(name).cameras for name in CAMERA_CASES] == list(range(1, 9))
    assert {case_of(name).objects for name in DEFAULT_CASES} == {1, 4, 16}


@pytest.mark.parametrize("name", ["vga", "8k-4", "vga-0", "vga-4-9cams", "vga-4-cams"])
def test_what_is_no_case_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=repr(name)):
        case_of(name)


def test_every_picture_shows_its_labels_inside_the_frame() -> None:
    for picture in pictures(640, 480, 16):
        assert len(picture.boxes) == 16
        for x, y, width, height in picture.boxes:
            left, right = round(x - width / 2), round(x + width / 2)
            top, bottom = round(y - height / 2), round(y + height / 2)
            assert left >= 0 and right < 640 and top >= 0 and bottom < 480
            assert picture.pixels[top:bottom, left:right].max() >= 200


def test_latencies_are_of_the_views_that_came_and_frames_are_counted() -> None:
    found = figures(
        passage([99.0, 10.0, 20.0, None, 30.0, 20.0]), contenders(0)[PLAIN], case_of("vga-1"), 0.5
    )
    assert (found.sent, found.received, found.processed, found.published) == (6, 7, 5, 5)
    assert found.last_view.p50_ms == found.first_view.p50_ms == pytest.approx(20.0)
    assert found.written.p50_ms == pytest.approx(10.0)
    # 10 ms of CPU a second over 4 s, and three of the four frames of that time came out.
    assert found.node_cpu_ms == pytest.approx(40.0 / 3)
    assert found.others_cores == pytest.approx(1.5 - 0.01)


def test_a_node_that_answers_nothing_has_no_latency() -> None:
    found = figures(passage([None] * 4), contenders(0)[PLAIN], case_of("vga-1"), 0.5)
    assert found.published == 0 and found.last_view.p50_ms is None and found.node_cpu_ms is None


def test_targets_hold_latency_frames_and_the_share_of_the_plain_nodes_cpu() -> None:
    case = case_of("vga-4")
    own = figures(passage([9.0] * 4, 2.0), contenders(0)[PLAIN], case_of("vga-1"), 0.5)
    plain = figures(passage([30.0] * 4, 8.0), contenders(0)[PLAIN], case_of("vga-1"), 0.5)
    median = {(case.name, OURS): own, (case.name, PLAIN): plain}
    met = {target.name: target.is_met for target in targets([case], median)}
    assert met["vga-4 p50 in ms"] is False and met["vga-4 p99 in ms"] is True
    assert met["vga-4 CPU per frame over the plain node's"] is True


def test_stages_end_with_the_way_out_and_the_whole() -> None:
    told = passage([20.0] * 4)
    told.sink["diagnostics"]["camera0"] = {
        "latency.network.p50_ms": "5.5",
        "latency.network.p99_ms": "7.0",
        "frames.received": "4",
    }
    case = case_of("vga-1")
    rows = stage_rows(told, case, figures(told, contenders(0)[PLAIN], case, 0.5))
    assert [row["stage"] for row in rows] == ["network", "out", "whole"]
    assert rows[0]["p50 ms"] == 5.5 and rows[1]["p50 ms"] == pytest.approx(10.0)


def test_the_slope_of_memory_is_fitted_after_it_has_settled() -> None:
    seconds = list(range(100))
    mebibytes = [50.0 if s < 5 else 100.0 + s / 60 for s in seconds]
    use = Use([s * SECOND_NS for s in seconds], [0.0] * 100, [round(m * 2**20) for m in mebibytes])
    told = memory_series(Passage({}, {}, {"node": use}, ""))
    assert told["slope_kib_per_minute"] == pytest.approx(1024, rel=0.01)
    assert told["highest_mib"] == pytest.approx(100 + 99 / 60, abs=0.01)


def test_the_cost_of_a_camera_is_fitted_where_the_node_keeps_up() -> None:
    cases = [case_of(name) for name in ("vga-1", "vga-1-2cams", "vga-1-3cams")]
    one = figures(passage([9.0] * 4, 12.0), contenders(0)[PLAIN], case_of("vga-1"), 0.5)
    note = growth_note(cases, [one, one, one])
    assert "0.0 ms fixed and 12.0 ms for each camera" in note.replace("-0.0", "0.0")


def test_use_of_this_process_is_what_python_says() -> None:
    before = processor_s(os.getpid())
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass
    assert processor_s(os.getpid()) - before >= 0.15
    assert resident_bytes(os.getpid()) > 10 * 2**20


@pytest.fixture
def ros_domain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A domain of the test's own, on this machine only, without a transport of the tester's."""
    domain = 1 + zlib.crc32(f"{request.node.name} {os.getpid()}".encode()) % 100
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.delenv("FASTDDS_DEFAULT_PROFILES_FILE", raising=False)
    return domain


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.parametrize("name", [OURS, PLAIN, RELAY])
def test_views_pass_through_every_node(name: str, ros_domain: int, tmp_path: Path) -> None:
    case, node = case_of("vga-1"), contenders(1)[name]
    with StopSignal() as stop:
        told = run_passage(node, case, Plan(2.0, 10.0, "planar"), tmp_path, stop)
    found = figures(told, node, case, 0.5)
    assert found.sent == 20 and 1 <= found.received <= 20
    assert found.published >= 1 and found.last_view.p50_ms is not None
    assert found.last_view.p50_ms > 0 and found.node_cpu_ms is not None
    if name == OURS:
        stages: list[Any] = [row["stage"] for row in stage_rows(told, case, found)]
        assert stages[0] == "carry" and {"network", "publish", "total", "out"} <= set(stages)


@pytest.mark.ros
@pytest.mark.slow
def test_ctrl_c_leaves_no_process_and_no_result(ros_domain: int, tmp_path: Path) -> None:
    code = (
        "import argparse, pathlib, sys\n"
        "from stn_perception.benchmarks.node import command\n"
        "parser = argparse.ArgumentParser()\n"
        "command.add_arguments(parser)\n"
        "parser.add_argument('--json', type=pathlib.Path)\n"
        "sys.exit(command.run(parser.parse_args(sys.argv[1:])))\n"
    )
    result = tmp_path / "node.json"
    options = ["--case", "vga-1", "--only-ours", "--duration", "60", "--json", str(result)]
    bench = subprocess.Popen([sys.executable, "-c", code, *options], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while len(children_of(bench.pid)) < 3:
            assert bench.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        children = children_of(bench.pid)
        bench.send_signal(signal.SIGINT)
        assert bench.wait(60) == 130
    finally:
        bench.kill()
    assert not result.exists()
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def children_of(process: int) -> list[int]:
    """Ids of the processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found
