# SPDX-License-Identifier: Apache-2.0
"""A run that is killed at half and repeated says what an undisturbed one says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

CHUNK = 4
SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


def command(bag: Path, output: Path, workers: int) -> list[str]:
    line = [sys.executable, "-m", "stn_perception.cli", "evaluate", str(bag)]
    line += ["--workers", str(workers), "--chunk-frames", str(CHUNK), "--batch-frames", "2"]
    return [*line, "--output", str(output), "--json", str(output.with_suffix(".json"))]


def numbers(output: Path) -> dict:
    content = json.loads(output.with_suffix(".json").read_text())
    return {name: value for name, value in content.items() if name not in ("seconds", "fps")}


def page(output: Path) -> bytes:
    return (output / "report.html").read_bytes().replace(str(output).encode(), b"OUT")


def wait_for_chunks(running: subprocess.Popen, output: Path, count: int) -> Path:
    kept = output / ".chunks"
    deadline = time.monotonic() + 120
    while not kept.is_dir() or len(list(kept.glob("*.gz"))) < count:
        assert running.poll() is None and time.monotonic() < deadline, running.communicate()
        time.sleep(0.02)
    return kept


@pytest.fixture(scope="module")
def whole(short_bag: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run(command(short_bag, output, 0), check=True, capture_output=True)
    return output


@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_run_goes_on_where_it_was(
    short_bag: Path, whole: Path, tmp_path: Path, workers: int
) -> None:
    output = tmp_path / "out"
    running = subprocess.Popen(
        command(short_bag, output, workers), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    kept = wait_for_chunks(running, output, 3)
    family = psutil.Process(running.pid).children(recursive=True)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    done = {chunk: chunk.stat().st_mtime_ns for chunk in kept.glob("*.gz")}
    assert len(done) >= 3
    assert not (output / "report.html").exists()
    subprocess.run(command(short_bag, output, workers), check=True, capture_output=True)
    assert numbers(output) == numbers(whole)
    assert not kept.exists()
    mine, theirs = page(output), page(whole)
    if workers == 0:
        assert mine == theirs


@pytest.mark.parametrize("after_s", [0.3, 1.5, None])
def test_ctrl_c_leaves_no_word_and_no_process(tmp_path: Path, after_s: float | None) -> None:
    """While it loads, and (None) in the middle of the work."""
    output = tmp_path / "out"
    running = subprocess.Popen(
        command(SAMPLE, output, 2),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    if after_s is None:
        wait_for_chunks(running, output, 1)
    else:
        time.sleep(after_s)
    family = psutil.Process(running.pid).children(recursive=True)
    os.killpg(running.pid, signal.SIGINT)
    told, _ = running.communicate(timeout=120)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    # A shell calls both 130. CPython ends by the signal itself where it broke off the running of
    # a text, as dataclasses do while they are imported.
    assert running.returncode in (130, -signal.SIGINT), told
    assert "Traceback" not in told
    assert not (output / "report.html").exists()
