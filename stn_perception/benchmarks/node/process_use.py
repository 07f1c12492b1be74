# SPDX-License-Identifier: Apache-2.0
"""Processor time and memory of processes while they run, as the kernel counts them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PERIOD_S = 0.2
MACHINE = "machine"


@dataclass
class Use:
    """Samples of one process.

    Attributes:
        at_ns: System clock.
        cpu_s: Processor time of all of its threads since it started.
        resident_bytes: Memory.
    """

    at_ns: list[int] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)

    def cpu_between_s(self, from_ns: int, to_ns: int) -> float:
        """Processor time used between two moments."""
        first, last = np.interp([from_ns, to_ns], self.at_ns, self.cpu_s)
        return float(last - first)


class UseSampler:
    """Samples processes, and the machine as a whole, in a thread, inside a ``with`` block.

    Args:
        processes: Process ids by name.
        period_s: Time between two samples.
    """

    def __init__(self, processes: Mapping[str, int], period_s: float = _PERIOD_S) -> None:
        self.uses = {name: Use() for name in (*processes, MACHINE)}
        self._processes = dict(processes)
        self._period_s = period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="use_sampler", daemon=True)

    def __enter__(self) -> UseSampler:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            self._note(MACHINE, machine_busy_s(), 0)
            for name, process in list(self._processes.items()):
                try:
                    cpu_s, resident = processor_s(process), resident_bytes(process)
                except (FileNotFoundError, ProcessLookupError):  # it ended
                    self._processes.pop(name)
                    continue
                self._note(name, cpu_s, resident)

    def _note(self, name: str, cpu_s: float, resident: int) -> None:
        use = self.uses[name]
        use.at_ns.append(time.time_ns())
        use.cpu_s.append(cpu_s)
        use.resident_bytes.append(resident)


def machine_busy_s() -> float:
    """Time that all processors together were not idle, in seconds."""
    first = Path("/proc/stat").read_text(encoding="utf-8").partition("\n")[0].split()
    user, nice, system, _idle, _waiting, interrupt, soft, steal = map(int, first[1:9])
    return (user + nice + system + interrupt + soft + steal) / _TICKS_PER_S


def processor_s(process: int) -> float:
    """User and system time of a process, all threads, in seconds (resolution: one tick)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_bytes(process: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1]) * _PAGE_BYTES
