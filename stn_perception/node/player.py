# SPDX-License-Identifier: Apache-2.0
"""Publish a recording into ROS: every message once, in order, at its time.

Messages go out as the bytes that were recorded, so types need no conversion and nothing is lost in
one. Ctrl-C ends the replay after the message in hand.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO, Any

from stn_perception.messages.stamps import time_fields
from stn_perception.node.player_options import EXAMPLE, PlayOptions, add_arguments, options_from
from stn_perception.node.player_report import PlayReport
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_command import told, tool_main
from stn_perception.node.tool_node import StartError, tool_node

# A BestEffort reader fetches from the writer's shared memory, which goes with the process.
_LINGER_S = 0.3
# A match is known here a moment before the subscriber knows it, and what is sent in between is
# lost to a best-effort one.
_MATCH_SETTLES_S = 0.5


class PlayError(StartError):
    """The replay cannot start; the message is one sentence for the user."""


def play(
    options: PlayOptions, stop: StopSignal | None = None, ros_args: Sequence[str] = ()
) -> PlayReport:
    """Play a bag until its end, or until stopped.

    Args:
        options: What to play and how.
        stop: Ends the replay when set; without one, SIGINT and SIGTERM do.
        ros_args: ROS command line, such as ``["--ros-args", "-r", "/a:=/b"]``.

    Raises:
        BagError: The bag cannot be read.
        PlayError: Types are not installed, or subscribers did not come.
        StartError: ROS refuses to start.
    """
    from stn_perception.bags import BagReader

    with ExitStack() as stack:
        if stop is None:
            stop = stack.enter_context(StopSignal())
        reader = stack.enter_context(BagReader(options.bag))
        node = stack.enter_context(tool_node("bag_player", ros_args))
        log = None
        if options.publish_log:
            log = stack.enter_context(options.publish_log.open("w", encoding="utf-8"))
        return _Player(reader, node, options, stop, log).run()


class _Player:
    """The publishers of one replay, and its clock."""

    def __init__(
        self,
        reader: Any,
        node: Any,
        options: PlayOptions,
        stop: StopSignal,
        log: IO[str] | None,
    ) -> None:
        self._reader = reader
        self._node = node
        self._options = options
        self._stop = stop
        self._log = log
        self._report = PlayReport(str(options.bag))
        self._publishers = self._make_publishers()
        self._stamped = self._types_with_header()
        self._clock = self._make_clock()
        self._next_tick_s = 0.0

    def run(self) -> PlayReport:
        """Wait for subscribers, play, and give the last messages time to be fetched."""
        self._wait_for_subscribers()
        start_s = time.monotonic()
        while not self._stop.is_set():
            self._play_once()
            if not self._options.loop:
                break
        self._report.duration_s = time.monotonic() - start_s
        self._report.interrupted = self._stop.is_set()
        self._stop.wait(_LINGER_S)
        return self._report

    def _make_publishers(self) -> dict[str, Any]:
        from stn_perception.bags.qos import offer_for
        from stn_perception.node.message_factory import (
            MissingMessageTypeError,
            message_class,
        )
        from stn_perception.node.player_qos import profile_of

        options = self._options
        topics = self._reader.topics
        for name in (*options.topics, *options.exclude):
            if name not in topics:
                there = ", ".join(sorted(topics))
                raise PlayError(f"{options.bag} has no topic {name}, it has {there}.")
        chosen = [name for name in (options.topics or topics) if name not in options.exclude]
        if options.clock_hz and "/clock" in chosen and not options.topics:
            chosen.remove("/clock")  # two clocks would fight
        if not chosen:
            raise PlayError("no topic is left to play.")
        publishers = {}
        for name in chosen:
            topic = topics[name]
            try:
                message_type = message_class(topic.type_name)
            except (MissingMessageTypeError, ValueError, AttributeError) as error:
                raise PlayError(
                    f"{name} cannot be played: {str(error).rstrip('.')}; or leave it out with "
                    f"--exclude {name}."
                ) from error
            publishers[name] = self._node.create_publisher(
                message_type, options.published_name(name), profile_of(offer_for(topic.qos))
            )
        return publishers

    def _types_with_header(self) -> frozenset[str]:
        from stn_perception.bags.typestore import starts_with_header

        store = self._reader.typestore
        types = {self._reader.topics[name].type_name for name in self._publishers}
        return frozenset(t for t in types if t in store.fielddefs and starts_with_header(store, t))

    def _make_clock(self) -> Any:
        if not self._options.clock_hz:
            return None
        from rosgraph_msgs.msg import Clock

        return self._node.create_publisher(Clock, "/clock", 10)

    def _wait_for_subscribers(self) -> None:
        wanted, timeout_s = self._options.wait_for_subscribers, self._options.wait_timeout_s
        deadline = time.monotonic() + timeout_s
        while not self._stop.is_set():
            counts = {p.topic_name: p.get_subscription_count() for p in self._publishers.values()}
            missing = {name: count for name, count in counts.items() if count < wanted}
            if not missing:
                self._stop.wait(_MATCH_SETTLES_S if wanted else 0.0)
                return
            if time.monotonic() >= deadline:
                name, count = next(iter(missing.items()))
                raise PlayError(
                    f"{name} has {count} of {wanted} subscribers after {timeout_s:g} s."
                )
            self._stop.wait(0.02)

    def _play_once(self) -> None:
        options = self._options
        start_ns = self._reader.start_ns + round(options.start_offset_s * 1e9)
        end_ns = None
        if options.duration_s is not None:
            end_ns = start_ns + round(options.duration_s * 1e9)
        if start_ns > self._reader.end_ns:
            length_s = (self._reader.end_ns - self._reader.start_ns) / 1e9
            raise PlayError(f"the bag is {length_s:.1f} s long, nothing is left to play.")
        began_s = time.monotonic()
        self._next_tick_s = began_s
        for message in self._reader.messages(tuple(self._publishers), start_ns, end_ns):
            due_s = began_s + (message.time_ns - start_ns) / 1e9 / options.rate
            self._wait_until(due_s, began_s, start_ns)
            if self._stop.is_set():
                return
            self._publish(message, due_s)

    def _wait_until(self, due_s: float, began_s: float, start_ns: int) -> None:
        """Sleep until a message is due, ticking the clock meanwhile."""
        while True:
            now_s = time.monotonic()
            if self._clock is not None and now_s >= self._next_tick_s:
                self._tick(start_ns + round((now_s - began_s) * self._options.rate * 1e9))
                period_s = 1 / self._options.clock_hz
                self._next_tick_s = max(self._next_tick_s + period_s, now_s)
            if now_s >= due_s:
                return
            wake_s = due_s if self._clock is None else min(due_s, self._next_tick_s)
            if self._stop.wait(wake_s - now_s):
                return

    def _tick(self, bag_time_ns: int) -> None:
        from rosgraph_msgs.msg import Clock

        message = Clock()
        message.clock.sec, message.clock.nanosec = time_fields(bag_time_ns)
        self._clock.publish(message)

    def _publish(self, message: Any, due_s: float) -> None:
        publisher = self._publishers[message.topic]
        sent_ns = time.monotonic_ns()
        publisher.publish(message.data)
        late_s = sent_ns / 1e9 - due_s
        self._report.count(publisher.topic_name, late_s, self._options.late_after_s)
        if self._log is not None:
            self._write_log(publisher.topic_name, message, sent_ns)

    def _write_log(self, topic: str, message: Any, sent_ns: int) -> None:
        from stn_perception.bags.typestore import header_stamp_ns

        assert self._log is not None
        stamped = message.type_name in self._stamped
        stamp_ns = header_stamp_ns(message.data) if stamped else None
        entry = {"topic": topic, "stamp_ns": stamp_ns, "steady_ns": sent_ns}
        self._log.write(json.dumps(entry) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the player as a command; ROS arguments may follow ``--ros-args``."""
    parser = argparse.ArgumentParser(
        prog="bag_player_node", description="Publish a bag into ROS.", epilog=EXAMPLE
    )
    add_arguments(parser)
    return tool_main(parser, run, argv)


def run(
    parsed: argparse.Namespace, stop: StopSignal | None = None, ros_args: Sequence[str] = ()
) -> int:
    """Play as parsed arguments say, print the report, and return the exit status."""
    report = told(lambda: play(options_from(parsed), stop, ros_args), parsed.json)
    return 1 if report is None else 0


if __name__ == "__main__":
    raise SystemExit(main())
