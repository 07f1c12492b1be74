# SPDX-License-Identifier: Apache-2.0
"""The reader: takes every view and the results, and notes when each came.

Views are taken as the bytes that came; the time is taken in the callback, where a user's node
would begin to work with the view.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stn_perception.benchmarks.node.ros_process import TRANSPORTS, receiving, ros_node
from stn_perception.node.message_factory import message_class
from stn_perception.runtime.whole_file import write_whole_file

_DEPTH = 50


class Arrivals:
    """Stamps and arrival times of one topic, in nanoseconds of the system clock."""

    def __init__(self) -> None:
        self.stamps_ns: list[int] = []
        self.arrived_ns: list[int] = []
        self.written_ns: list[int] = []

    def take(self, octets: bytes, info: dict[str, Any]) -> None:
        """Note a serialized message that begins with a header."""
        self.arrived_ns.append(time.time_ns())
        seconds, nanoseconds = struct.unpack_from("<iI", octets, 4)
        self.stamps_ns.append(seconds * 1_000_000_000 + nanoseconds)
        self.written_ns.append(int(info["source_timestamp"]))


class Sink:
    """Subscriptions on all outputs.

    Args:
        node: The rclpy node.
        views: Topics of the views.
        results: Topics of the results.
    """

    def __init__(self, node: Any, views: Sequence[str], results: Sequence[str]) -> None:
        self._node = node
        self._diagnostics: dict[str, dict[str, str]] = {}
        self.arrivals = {topic: Arrivals() for topic in (*views, *results)}
        image = message_class("sensor_msgs/msg/Image")
        objects = message_class("vision_msgs/msg/Detection2DArray")
        self._subscriptions = [
            self._subscribe(image if topic in views else objects, topic, arrivals.take)
            for topic, arrivals in self.arrivals.items()
        ]
        status = message_class("diagnostic_msgs/msg/DiagnosticArray")
        node.create_subscription(status, "/diagnostics", self._on_diagnostics, 10)

    def matched(self) -> bool:
        """Whether every topic has its writer."""
        return all(each.get_publisher_count() > 0 for each in self._subscriptions)

    def seen(self) -> bool:
        """Whether anything came."""
        return any(each.stamps_ns for each in self.arrivals.values())

    def content(self) -> dict[str, Any]:
        """Everything noted, for the report."""
        return {
            "topics": {topic: vars(arrivals) for topic, arrivals in self.arrivals.items()},
            "diagnostics": self._diagnostics,
        }

    def _subscribe(self, kind: Any, topic: str, take: Callable[..., None]) -> Any:
        return self._node.create_subscription(kind, topic, take, _DEPTH, raw=True)

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            part = status.name.partition(": ")[2]
            self._diagnostics[part] = {item.key: item.value for item in status.values}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the reader as a process until it is told to end."""
    parser = argparse.ArgumentParser(description="Reader of views and results.")
    parser.add_argument("--views", nargs="+", required=True)
    parser.add_argument("--results", nargs="*", default=[])
    parser.add_argument("--transport", choices=TRANSPORTS, required=True)
    parser.add_argument("--ready", type=Path, required=True, help="made once writers are there")
    parser.add_argument("--first", type=Path, required=True, help="made once a message came")
    parser.add_argument("--report", type=Path, required=True)
    parsed = parser.parse_args(argv)
    process = ros_node("benchmark_sink", parsed.transport)
    with process as (node, stop), receiving(node) as take_until:
        sink = Sink(node, parsed.views, parsed.results)
        take_until(lambda: stop.is_set() or sink.matched())
        parsed.ready.touch()
        take_until(lambda: stop.is_set() or sink.seen())
        parsed.first.touch()
        take_until(stop.is_set)
        write_whole_file(parsed.report, json.dumps(sink.content()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
