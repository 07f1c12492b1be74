# SPDX-License-Identifier: Apache-2.0
"""Where the time between the start of the process and the first frame goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

_UPTIME = Path("/proc/uptime")
_STAT = Path("/proc/self/stat")


class Startup:
    """Marks the ends of the steps of a start, in seconds since the process or this began."""

    def __init__(self, since_process: bool = False) -> None:
        self._steps: dict[str, float] = {}
        self._last_s = time.monotonic()
        if since_process:
            self._last_s -= process_age_s()
            self.mark("interpreter")

    def mark(self, step: str) -> None:
        """A step ends now; one that is marked again is counted once, when it came first."""
        now_s = time.monotonic()
        self._steps.setdefault(step, now_s - self._last_s)
        self._last_s = now_s

    def sentence(self) -> str:
        """What has been marked, for the log."""
        steps = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in self._steps.items())
        return f"Start: {sum(self._steps.values()):.2f} s ({steps})."


def process_age_s() -> float:
    """Time since this process was started, 0 where the system does not tell."""
    if not (_UPTIME.exists() and _STAT.exists()):
        return 0.0
    uptime_s = float(_UPTIME.read_text(encoding="utf-8").split()[0])
    started = int(_STAT.read_text(encoding="utf-8").rpartition(") ")[2].split()[19])
    return max(0.0, uptime_s - started / os.sysconf("SC_CLK_TCK"))
