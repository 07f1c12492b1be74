# SPDX-License-Identifier: Apache-2.0
"""Turn Ctrl-C into a request that the work can finish on, instead of an exception anywhere."""

from __future__ import annotations

import os
import select
import signal
import threading
import weakref
from types import FrameType, TracebackType
from typing import Any


class StoppedError(RuntimeError):
    """The process is asked to end while something takes long."""


class StopSignal:
    """While entered, SIGINT and SIGTERM ask to stop; what was installed before comes back after.

    Outside the main thread nothing is installed (Python allows handlers there only), and only
    ``request`` stops the work.

    A handler runs in the main thread between any two of its instructions, also while that thread
    holds a lock. So nothing here takes one: asking sets a flag and writes a byte that nobody
    reads, which wakes everybody who waits.
    """

    def __init__(self) -> None:
        self._asked = False
        self._reading, self._writing = os.pipe()
        weakref.finalize(self, _close, self._reading, self._writing)
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignal:
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the earlier handlers back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def request(self) -> None:
        """Ask to stop."""
        if not self._asked:  # once is enough, and the pipe cannot fill up
            self._asked = True
            os.write(self._writing, b"\0")

    def is_set(self) -> bool:
        """Tell whether stopping was asked for."""
        return self._asked

    def wait(self, timeout_s: float) -> bool:
        """Wait until stopping is asked for, at most ``timeout_s``; tell whether it was."""
        if not self._asked:
            poll = select.poll()
            poll.register(self._reading, select.POLLIN)
            poll.poll(max(0.0, timeout_s) * 1000.0)
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.request()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
