# SPDX-License-Identifier: Apache-2.0
"""The demo runs the real graph, accounts for every frame, and ends without leaving anything."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

pytest.importorskip("rclpy")
pytest.importorskip("vision_msgs")

from stn_perception.bags import BagError, BagReader
from stn_perception.node.demo_numbers import Passage, latencies_ms, node_counts
from stn_perception.node.demo_plan import truth_beside
from stn_perception.runtime.archive import save_archive
from stn_perception.runtime.model_card import ModelCard

pytestmark = pytest.mark.ros


class WholeBox(torch.nn.Module):
    """A user's own network, as small as one can be: the view is the box."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return torch.eye(2, 3, device=crops.device).repeat(crops.shape[0], 1, 1)


@pytest.fixture
def model(tmp_path) -> Path:
    card = ModelCard(name="whole_box", family="affine", input_width=32, input_height=32)
    save_archive(tmp_path / "whole_box.pt", torch.jit.script(WholeBox()), card)
    return tmp_path / "whole_box.pt"


@pytest.fixture
def start(tmp_path, monkeypatch, plain_domain):
    """Start ``stn demo`` as a user does; everything it makes or starts names tmp_path."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        output = ["--output", str(tmp_path / "out")]
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "stn_perception.cli", "demo", *output, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def left_over(tmp_path: Path) -> list[str]:
    """Command lines of processes that mention the test's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile
            if str(tmp_path) in line:
                found.append(line)
    return found


def read_until(process: subprocess.Popen, word: str) -> str:
    text = ""
    while word not in text:
        line = process.stdout.readline()
        assert line, f"'{word}' never came: {text} {process.stderr.read()}"
        text += line
    return text


def earlier_result(folder: Path) -> None:
    (folder / "recording").mkdir(parents=True)
    (folder / "index.html").write_text("the earlier page")


def test_every_frame_is_accounted_for_and_the_earlier_result_replaced(start, model, tmp_path):
    earlier_result(tmp_path / "out")
    numbers = tmp_path / "numbers.json"
    process = start("--model", str(model), "--duration", "2", "--json", str(numbers))
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    got = json.loads(numbers.read_text())
    assert got["frames_published"] == got["frames_received"] == 20
    assert got["frames_processed"] + sum(got["dropped"].values()) == 20
    assert got["frames_processed"] > 0 and (got["model"], got["device"]) == ("whole_box", "cpu")
    assert 0 < got["latency_ms"]["p50"] <= got["latency_ms"]["p95"] <= got["latency_ms"]["p99"]
    assert "latency p50 / p95 / p99" in out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "demo.png",
        "index.html",
        "numbers.json",
        "recording",
    ]
    assert "Every object" in (tmp_path / "out" / "index.html").read_text()
    with BagReader(tmp_path / "out" / "recording") as bag:
        counts = {name: topic.message_count for name, topic in bag.topics.items()}
    assert counts["/camera/image/compressed"] == 20
    assert counts["/canonicalizer/camera/objects"] == got["frames_processed"]
    views = sum(count for name, count in counts.items() if name.endswith("/image_rect"))
    assert views == got["views_received"] == got["views_published"]
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("moment", ["starting", "playing"])
def test_ctrl_c_leaves_nothing_and_keeps_the_earlier_result(start, model, tmp_path, moment):
    earlier_result(tmp_path / "out")
    process = start("--model", str(model))
    read_until(process, moment)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped, nothing was written" in errors
    assert "Traceback" not in out + errors
    assert left_over(tmp_path) == []
    assert (tmp_path / "out" / "index.html").read_text() == "the earlier page"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "whole_box.pt"]


def test_a_killed_demo_takes_its_processes_along(start, model, tmp_path):
    process = start("--model", str(model))
    read_until(process, "playing")
    process.kill()
    process.communicate()
    gone = threading.Event()
    deadline = time.monotonic() + 60
    while left_over(tmp_path) and time.monotonic() < deadline:
        gone.wait(0.1)
    assert left_over(tmp_path) == []
    assert not (tmp_path / "out").exists()


def test_what_cannot_run_is_explained_in_a_sentence(start, model, tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"no archive")
    process = start("--model", str(tmp_path / "broken.pt"))
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert errors.startswith("error: the node ended: ") and "broken.pt" in errors
    assert "Traceback" not in errors
    process = start("--bag", str(tmp_path / "nowhere"))
    assert "error: there is no bag at" in process.communicate(timeout=60)[1]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    process = start("--model", str(model))
    assert "no demo made it" in process.communicate(timeout=60)[1]
    assert (tmp_path / "out" / "letter.txt").exists()
    assert left_over(tmp_path) == []


def test_latency_is_counted_per_view_from_its_frames_publication():
    sent = [Passage("/image", 1, 1_000_000), Passage("/image", 2, 5_000_000)]
    sent.append(Passage("/boxes", 1, 9_000_000))
    received = [
        Passage("/n/object_0/image_rect", 1, 3_000_000),
        Passage("/n/object_1/image_rect", 1, 4_000_000),
        Passage("/n/object_0/image_rect", 2, 5_500_000),
        Passage("/n/object_0/camera_info", 2, 9_500_000),
        Passage("/n/object_0/image_rect", 3, 9_500_000),
    ]
    assert latencies_ms(sent, received, "/image") == [2.0, 3.0, 0.5]


def test_counts_come_from_the_nodes_diagnostics():
    values = {
        "frames.received": "10",
        "frames.used": "7",
        "frames.dropped.busy": "2",
        "frames.dropped.unpaired": "1",
        "boxes.dropped.busy": "5",
        "views.published": "21",
    }
    counts = node_counts(values)
    assert counts.settled and counts.dropped == {"busy": 2, "unpaired": 1} and counts.views == 21
    assert not node_counts({**values, "frames.used": "6"}).settled
    assert node_counts({}).received == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"frames": 3}',
        '{"frames": [{"stamp_ns": 1}]}',
        '{"frames": [{"stamp_ns": 1, "part": "still", "objects": {"sign": [[0, 0]]}}]}',
    ],
)
def test_truth_that_is_none_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(BagError, match=r"truth.json does not read"):
        truth_beside(tmp_path)
