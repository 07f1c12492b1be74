# SPDX-License-Identifier: Apache-2.0
"""Let other threads change the pipeline between two batches, without ever waiting for one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult

Change = Callable[[Pipeline], None]


class PipelineMailbox:
    """A pipeline that one thread runs and others post changes to.

    Args:
        pipeline: Used by the thread that calls ``process`` alone.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()
        self._changes: list[Change] = []

    def post(self, change: Change) -> None:
        """Have a change made before the next batch, in the order of posting."""
        with self._lock:
            self._changes.append(change)

    def process(
        self,
        requests: Sequence[FrameRequest],
        wanted: Mapping[str, Collection[int]],
    ) -> list[FrameResult]:
        """Make the changes posted so far, then ``Pipeline.process``."""
        with self._lock:
            changes, self._changes = self._changes, []
        for change in changes:
            change(self._pipeline)
        return self._pipeline.process(requests, wanted)
