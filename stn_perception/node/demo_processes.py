# SPDX-License-Identifier: Apache-2.0
"""Start the demo's processes, notice when one dies, and leave none behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STOP_TIMEOUT_S = 10.0


class Child:
    """A Python module run as a process of its own, its output in a file.

    It does not get the terminal's Ctrl-C: its parent decides the order in which things end. Should
    the parent be killed, the kernel sends it SIGINT.

    Args:
        name: For messages.
        module: Run with ``python -m``.
        arguments: Its command line.
        log: Where its output goes.
    """

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll()

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> int:
        """Ask it to end as Ctrl-C would, kill it if it does not, and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        return int(self._process.returncode)

    def last_words(self) -> str:
        """The last line of its output, which says why it ended."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


class Children:
    """The processes started inside a ``with`` block; none outlives it."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Child] = []

    def __enter__(self) -> Children:
        """Nothing runs yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what still runs, the last started first."""
        for child in reversed(self._started):
            child.stop()

    def start(self, name: str, module: str, arguments: Sequence[str]) -> Child:
        """Start a process."""
        child = Child(name, module, arguments, self._logs / f"{name}.log")
        self._started.append(child)
        return child


def _environment() -> dict[str, str]:
    """The environment of the children: this package importable, discovery on this machine."""
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
