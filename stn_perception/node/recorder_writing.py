# SPDX-License-Identifier: Apache-2.0
"""Write what the recorder hears, in a thread of its own, so that hearing is never delayed."""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import IO

from stn_perception.bags import BagWriter, TopicQos
from stn_perception.bags.typestore import header_stamp_ns, starts_with_header


@dataclass(frozen=True)
class Arrival:
    """A message that came: its bytes, the wall time for the bag, the steady time for the log."""

    topic: str
    data: bytes
    wall_ns: int
    steady_ns: int


@dataclass(frozen=True)
class NewTopic:
    """A topic whose messages follow."""

    name: str
    type_name: str
    qos: tuple[TopicQos, ...]


class WritingThread:
    """Takes topics and arrivals in order and writes them; leaving the block writes the rest.

    Args:
        writer: An open bag.
        log: Where the arrivals' times go, one JSON object a line.
    """

    def __init__(self, writer: BagWriter, log: IO[str] | None = None) -> None:
        self._writer = writer
        self._log = log
        self._queue: queue.SimpleQueue[Arrival | NewTopic | None] = queue.SimpleQueue()
        self._stamped: dict[str, bool] = {}
        self._thread = threading.Thread(target=self._write_all, name="bag writer")
        self.error: Exception | None = None

    def __enter__(self) -> WritingThread:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is queued; raise what went wrong in the thread."""
        self._queue.put(None)
        self._thread.join()
        if kind is None and self.error is not None:
            raise self.error

    def put(self, item: Arrival | NewTopic) -> None:
        """Queue something to write."""
        self._queue.put(item)

    def _write_all(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._write(item)
        except Exception as error:  # handed to the recorder, which stops and raises it
            self.error = error

    def _write(self, item: Arrival | NewTopic) -> None:
        if isinstance(item, NewTopic):
            self._writer.add_topic(item.name, item.type_name, item.qos)
            store = self._writer.typestore
            self._stamped[item.name] = starts_with_header(store, item.type_name)
            return
        self._writer.write(item.topic, item.wall_ns, item.data)
        if self._log is not None:
            stamped = self._stamped[item.topic]
            entry = {
                "topic": item.topic,
                "stamp_ns": header_stamp_ns(item.data) if stamped else None,
                "steady_ns": item.steady_ns,
            }
            self._log.write(json.dumps(entry) + "\n")
