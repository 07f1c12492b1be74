# SPDX-License-Identifier: Apache-2.0
"""What the bag player is asked to do, and its command line."""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from pathlib import Path

# A whole topic name, or a leading part of one.
_NAME = re.compile(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+/?")
EXAMPLE = "example: bag_player_node samples/duckiebot --rate 0.5 --remap /camera:=/front"


@dataclass(frozen=True)
class PlayOptions:
    """One replay.

    Attributes:
        bag: The bag's folder or storage file.
        rate: Playing speed; 2 is twice as fast.
        loop: Start again at the end until stopped.
        start_offset_s: Bag seconds to skip.
        duration_s: Bag seconds to play; None to the end.
        topics: Only these topics of the bag; empty for all.
        exclude: Topics to leave out.
        remaps: Pairs of a topic, or a topic's leading part, and what takes its place.
        clock_hz: How often ``/clock`` tells the bag's time, in wall time; 0 for no clock.
        wait_for_subscribers: Begin when every topic has this many subscribers.
        wait_timeout_s: Give up waiting after this.
        late_after_s: A message sent this long after its time counts as late.
        publish_log: Write the steady time of every publication there, one JSON object a line.
    """

    bag: Path
    rate: float = 1.0
    loop: bool = False
    start_offset_s: float = 0.0
    duration_s: float | None = None
    topics: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    remaps: tuple[tuple[str, str], ...] = ()
    clock_hz: float = 100.0
    wait_for_subscribers: int = 0
    wait_timeout_s: float = 10.0
    late_after_s: float = 0.02
    publish_log: Path | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: One of them is impossible.
        """
        if not 0 < self.rate < math.inf:
            raise ValueError(f"the rate is {self.rate}, expected a finite number above 0.")
        if self.duration_s is not None and not 0 < self.duration_s < math.inf:
            raise ValueError(f"the duration is {self.duration_s} s, expected more than 0, finite.")
        for name in ("start_offset_s", "clock_hz", "wait_timeout_s", "late_after_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more, finite.")

    def published_name(self, topic: str) -> str:
        """Return the name that a topic of the bag gets."""
        for old, new in self.remaps:
            if topic == old:
                return new
            if topic.startswith(old.rstrip("/") + "/"):
                return new.rstrip("/") + topic[len(old.rstrip("/")) :]
        return topic


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the player's arguments, for its own command and for ``stn replay``."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder, .mcap, .db3 or .bag file")
    parser.add_argument("--rate", type=float, default=1.0, help="speed (default 1)")
    parser.add_argument("--loop", action="store_true", help="start again at the end")
    parser.add_argument(
        "--start-offset", "--start", type=float, default=0.0, metavar="S", help="seconds to skip"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="bag seconds to play")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="only these")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="TOPIC", help="not these")
    parser.add_argument(
        "--remap",
        nargs="+",
        type=_remap,
        default=[],
        metavar="FROM:=TO",
        help="publish under another name; a leading part such as /camera will do",
    )
    parser.add_argument(
        "--clock", type=float, default=100.0, metavar="HZ", help="rate of /clock (default 100)"
    )
    parser.add_argument("--no-clock", action="store_true", help="leave /clock to others")
    parser.add_argument(
        "--wait-for-subscribers",
        type=int,
        default=0,
        metavar="N",
        help="begin when every topic has N subscribers",
    )
    parser.add_argument(
        "--wait-timeout", type=float, default=10.0, metavar="S", help="give up waiting (10 s)"
    )
    parser.add_argument(
        "--publish-log", type=Path, metavar="FILE", help="write when each message was sent"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")


def options_from(arguments: argparse.Namespace) -> PlayOptions:
    """Return the options that parsed arguments ask for.

    Raises:
        ValueError: A number is impossible.
    """
    return PlayOptions(
        bag=arguments.bag,
        rate=arguments.rate,
        loop=arguments.loop,
        start_offset_s=arguments.start_offset,
        duration_s=arguments.duration,
        topics=tuple(arguments.topics),
        exclude=tuple(arguments.exclude),
        remaps=tuple(arguments.remap),
        clock_hz=0.0 if arguments.no_clock else arguments.clock,
        wait_for_subscribers=arguments.wait_for_subscribers,
        wait_timeout_s=arguments.wait_timeout,
        publish_log=arguments.publish_log,
    )


def _remap(text: str) -> tuple[str, str]:
    old, mark, new = text.partition(":=")
    if not (mark and old.startswith("/") and _NAME.fullmatch(new)):
        raise argparse.ArgumentTypeError(f"'{text}' is no remap, expected /from:=/to")
    return old, new
