# SPDX-License-Identifier: Apache-2.0
"""A request to stop arrives at any moment and from anywhere, and wakes whoever waits."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stn_perception.node.stop_signal import StopSignal

ROOT = Path(__file__).parents[2]
DEADLOCK_S = 120.0  # far more than the scripts take on a busy machine

# At the n-th line that runs within wait, for every n: a signal can fall nowhere else in Python.
AT_EVERY_LINE = """
import signal, sys
from stn_perception.node.stop_signal import StopSignal

lines, at = 0, 0
def trace(frame, event, argument):
    global lines
    if event == "line":
        lines += 1
        if lines == at:
            signal.raise_signal(signal.SIGTERM)
    return trace

while lines >= at:
    lines, at = 0, at + 1
    with StopSignal() as stop:
        sys.settrace(trace)
        stop.wait(0.01)
        sys.settrace(None)
        assert stop.is_set() == (lines >= at), (lines, at)
print(at)
"""

# Signals without pause from another thread, while the main thread waits again and again.
HAMMER = """
import os, signal, threading
from stn_perception.node.stop_signal import StopSignal

ended = threading.Event()
def hammer():
    while not ended.is_set():
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, lambda *_: None)
thread = threading.Thread(target=hammer)
thread.start()
for _ in range(500):
    with StopSignal() as stop:
        while not stop.wait(0.001):
            pass
ended.set()
thread.join()
print("survived")
"""


def run_script(script: str) -> str:
    """Output of a script in a process of its own, where a deadlock ends in a failure."""
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLOCK_S,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout.strip()


def test_a_signal_at_any_line_of_waiting_is_noticed() -> None:
    assert int(run_script(AT_EVERY_LINE)) > 3


def test_waiting_survives_a_hail_of_signals() -> None:
    assert run_script(HAMMER) == "survived"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting_and_the_earlier_handler_comes_back(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with StopSignal() as stop:
        assert not stop.wait(0.0)
        timer = threading.Timer(0.05, os.kill, (os.getpid(), number))
        timer.start()
        assert stop.wait(60.0) and stop.is_set()
        timer.join()
    assert signal.getsignal(number) is before
    assert stop.wait(60.0)


def test_a_request_wakes_every_thread_that_waits() -> None:
    stop = StopSignal()
    woken: list[bool] = []
    threads = [threading.Thread(target=lambda: woken.append(stop.wait(60.0))) for _ in range(4)]
    for thread in threads:
        thread.start()
    stop.request()
    stop.request()
    for thread in threads:
        thread.join()
    assert woken == [True] * 4


def test_waiting_lasts_as_long_as_asked_for() -> None:
    begin = time.monotonic()
    assert not StopSignal().wait(0.2)
    assert time.monotonic() - begin >= 0.2
    assert not StopSignal().wait(-1.0)


def test_nothing_stays_open() -> None:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        with StopSignal() as stop:
            stop.request()
        del stop
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before
