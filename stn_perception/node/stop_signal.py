# SPDX-License-Identifier: Apache-2.0
"""Turn Ctrl-C into a request that the work can finish on, instead of an exception anywhere."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class StopSignal:
    """While entered, SIGINT and SIGTERM set an event; what was installed before comes back after.

    Outside the main thread nothing is installed (Python allows handlers there only), and only
    ``request`` stops the work.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
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
        self._event.set()

    def is_set(self) -> bool:
        """Tell whether stopping was asked for."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until stopping is asked for, at most ``timeout_s``; tell whether it was."""
        return self._event.wait(max(0.0, timeout_s))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._event.set()
