# SPDX-License-Identifier: Apache-2.0
"""A run that is asked to end clears away what it had begun, and keeps what it had finished."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_recording_that_was_begun_is_removed(
    short_bag: Path, tmp_path: Path, number: signal.Signals
) -> None:
    kept = tmp_path / "out" / ".chunks"
    line = [sys.executable, "-m", "stn_perception.cli", "evaluate", str(short_bag)]
    line += ["--workers", "0", "--chunk-frames", "2", "--write", str(tmp_path / "new.mcap")]
    line += ["--output", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    running = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while len(list(kept.glob("*"))) < 2:
        assert running.poll() is None, running.stdout and running.stdout.read()
        time.sleep(0.02)
    assert list(tmp_path.glob(".new.mcap*"))
    running.send_signal(number)
    told, _ = running.communicate()
    assert running.returncode == 130, told
    assert "Traceback" not in told
    assert list(tmp_path.glob("*new.mcap*")) == []
    assert list(kept.glob("*"))
