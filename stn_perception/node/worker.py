# SPDX-License-Identifier: Apache-2.0
"""The thread that works: it fetches the newest frames of all cameras and processes them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from stn_perception.node.handover import LatestOnly
from stn_perception.runtime.intake.frame_job import FrameJob


class Worker:
    """Runs ``process`` on whatever waits, until the handover is closed.

    Args:
        handover: Where the taking thread puts frames.
        process: Called with at least one job, at most one per camera; must not raise.
        prepare: Called once in the thread before anything else.
    """

    def __init__(
        self,
        handover: LatestOnly[FrameJob],
        process: Callable[[list[FrameJob]], None],
        prepare: Callable[[], None],
    ) -> None:
        self._handover = handover
        self._process = process
        self._prepare = prepare
        self._thread = threading.Thread(target=self._run, name="canonicalizer_worker")
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs; it ends by ``stop`` alone, unless there is a defect."""
        return self._thread.is_alive()

    def stop(self) -> list[FrameJob]:
        """End after the batch in hand.

        Returns:
            Jobs that nobody worked on.
        """
        left = self._handover.close()
        self._thread.join()
        return left

    def _run(self) -> None:
        self._prepare()
        while jobs := self._handover.fetch_all():
            self._process(list(jobs.values()))
