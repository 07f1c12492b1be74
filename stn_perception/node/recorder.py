# SPDX-License-Identifier: Apache-2.0
"""Record topics into a bag, as the bytes that arrive.

Ctrl-C (or SIGTERM) ends a recording the normal way: what came so far becomes a complete bag. Until
then nothing stands at the bag's place; see ``bags.writer``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from stn_perception.node.recorder_options import (
    EXAMPLE,
    RecordOptions,
    RecordReport,
    add_arguments,
    options_from,
)
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_command import told, tool_main
from stn_perception.node.tool_node import executor_of, tool_node

NODE_NAME = "bag_recorder"
_DISCOVERY_PERIOD_S = 0.1
# What is still in the middleware's queues when the recording ends is taken for this long.
_DRAIN_S = 0.2


def record(
    options: RecordOptions, stop: StopSignal | None = None, ros_args: Sequence[str] = ()
) -> RecordReport:
    """Record until stopped, or until the options' duration is over.

    Args:
        options: What to record and where.
        stop: Ends the recording when set; without one, SIGINT and SIGTERM do.
        ros_args: ROS command line.

    Raises:
        BagError: The bag cannot be written there.
        StartError: ROS refuses to start.
    """
    from stn_perception.bags import BagWriter
    from stn_perception.node.recorder_writing import WritingThread

    with ExitStack() as stack:
        if stop is None:
            stop = stack.enter_context(StopSignal())
        node = stack.enter_context(tool_node(NODE_NAME, ros_args))
        executor = stack.enter_context(executor_of(node))
        writer = stack.enter_context(BagWriter(options.output, overwrite=options.overwrite))
        log = None
        if options.arrival_log:
            # Line by line, so that it can be followed while the recording runs.
            log = stack.enter_context(options.arrival_log.open("w", 1, encoding="utf-8"))
        writing = stack.enter_context(WritingThread(writer, log))
        report = _Recorder(node, executor, options, writing).run(stop)
    if sum(report.recorded.values()):
        report.bag = str(options.output)
    return report


class _Recorder:
    """The subscriptions of one recording."""

    def __init__(self, node: Any, executor: Any, options: RecordOptions, writing: Any) -> None:
        self._node = node
        self._executor = executor
        self._options = options
        self._writing = writing
        self._subscriptions: dict[str, Any] = {}
        self._report = RecordReport()

    def run(self, stop: StopSignal) -> RecordReport:
        """Listen until stopped, then take what has already arrived."""
        began_s = time.monotonic()
        duration_s = self._options.duration_s
        next_discovery_s = began_s
        while not stop.is_set() and self._writing.error is None:
            now_s = time.monotonic()
            if duration_s is not None and now_s - began_s >= duration_s:
                break
            if now_s >= next_discovery_s:
                self._discover()
                next_discovery_s = now_s + _DISCOVERY_PERIOD_S
            self._executor.spin_once(timeout_sec=_DISCOVERY_PERIOD_S / 2)
        self._drain()
        self._report.duration_s = time.monotonic() - began_s
        seen = self._subscriptions.keys() | self._report.failed.keys()
        self._report.never_seen = tuple(t for t in self._options.topics if t not in seen)
        return self._report

    def _drain(self) -> None:
        deadline = time.monotonic() + _DRAIN_S
        while (left_s := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left_s)

    def _discover(self) -> None:
        """Subscribe to wanted topics that somebody publishes."""
        for topic, types in self._node.get_topic_names_and_types():
            known = topic in self._subscriptions or topic in self._report.failed
            if not known and self._options.wants(topic) and self._node.count_publishers(topic):
                self._subscribe(topic, types)

    def _subscribe(self, topic: str, types: Sequence[str]) -> None:
        from rclpy.event_handler import SubscriptionEventCallbacks

        from stn_perception.bags import BagError
        from stn_perception.bags.typestore import ensure_type, make_typestore
        from stn_perception.node.message_factory import (
            MissingMessageTypeError,
            message_class,
        )
        from stn_perception.node.player_qos import accepting, offered_by
        from stn_perception.node.recorder_writing import Arrival, NewTopic

        type_name = types[0]
        try:
            if len(types) > 1:
                raise ValueError(f"it is published with several types, {', '.join(types)}.")
            message_type = message_class(type_name)
            ensure_type(make_typestore(), type_name)
        except (BagError, MissingMessageTypeError, ValueError, AttributeError) as error:
            self._report.failed[topic] = str(error)
            self._node.get_logger().error(f"{topic} is not recorded: {error}")
            return
        offers = offered_by(self._node.get_publishers_info_by_topic(topic))
        self._writing.put(NewTopic(topic, type_name, offers))

        def hear(data: bytes) -> None:
            steady_ns = time.monotonic_ns()
            self._writing.put(Arrival(topic, data, time.time_ns(), steady_ns))
            self._report.recorded[topic] += 1

        self._subscriptions[topic] = self._node.create_subscription(
            message_type,
            topic,
            hear,
            accepting(offers),
            raw=True,
            # Handlers would cost the executor time for every message.
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recorder as a command; ROS arguments may follow ``--ros-args``."""
    parser = argparse.ArgumentParser(
        prog="recorder", description="Record topics into a bag.", epilog=EXAMPLE
    )
    add_arguments(parser)
    return tool_main(parser, run, argv)


def run(
    parsed: argparse.Namespace, stop: StopSignal | None = None, ros_args: Sequence[str] = ()
) -> int:
    """Record as parsed arguments say, print the report, and return the exit status."""
    report = told(lambda: record(options_from(parsed), stop, ros_args), parsed.json)
    return 0 if report is not None and report.bag and not report.failed else 1


if __name__ == "__main__":
    raise SystemExit(main())
