# SPDX-License-Identifier: Apache-2.0
"""What the recorder is asked to do, its command line, and its report."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLE = "example: python -m stn_perception.node.recorder out --topics /camera/image /tf"


@dataclass(frozen=True)
class RecordOptions:
    """One recording.

    Attributes:
        output: The bag's folder.
        topics: Topics to record, as soon as somebody publishes them.
        pattern: Record every topic whose whole name matches this regular expression, too.
        overwrite: Take the place of a bag that is there.
        duration_s: Stop after this; None to go on until stopped.
        arrival_log: Write the steady time of every arrival there, one JSON object a line.
    """

    output: Path
    topics: tuple[str, ...] = ()
    pattern: str = ""
    overwrite: bool = False
    duration_s: float | None = None
    arrival_log: Path | None = None

    def __post_init__(self) -> None:
        """Check the choice of topics.

        Raises:
            ValueError: There is none, or the pattern is no regular expression.
        """
        if not self.topics and not self.pattern:
            raise ValueError("no topic to record, name some or give a pattern.")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"'{self.pattern}' is no regular expression: {error}.") from error

    def wants(self, topic: str) -> bool:
        """Tell whether a topic is to be recorded."""
        matches = bool(self.pattern) and re.fullmatch(self.pattern, topic) is not None
        return matches or topic in self.topics


@dataclass
class RecordReport:
    """What was recorded.

    Attributes:
        bag: The bag's folder; empty when nothing came and none was written.
        recorded: Messages by topic.
        never_seen: Named topics that nobody published.
        failed: Topics that could not be recorded, with the reason.
        duration_s: How long the recorder listened.
    """

    bag: str = ""
    recorded: Counter[str] = field(default_factory=Counter)
    never_seen: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    duration_s: float = 0.0

    def sentence(self) -> str:
        """Say it in a line."""
        total = sum(self.recorded.values())
        text = (
            f"Recorded {total} messages on {len(self.recorded)} topics in {self.duration_s:.1f} s"
        )
        text += f" into {self.bag}." if self.bag else ", no bag was written."
        if self.never_seen:
            text += f" Nobody published {', '.join(self.never_seen)}."
        for topic, reason in self.failed.items():
            text += f" {topic} was not recorded: {reason}"
        return text

    def to_json(self) -> str:
        """Return the report for machines."""
        return json.dumps({**vars(self), "recorded": dict(self.recorded)}, indent=1) + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recorder's arguments."""
    parser.add_argument("output", type=Path, metavar="BAG", help="folder of the new bag")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="record these")
    parser.add_argument("--pattern", default="", metavar="REGEX", help="and those that match")
    parser.add_argument("--overwrite", action="store_true", help="replace a bag of that name")
    parser.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    parser.add_argument(
        "--arrival-log", type=Path, metavar="FILE", help="write when each message came"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there")


def options_from(arguments: argparse.Namespace) -> RecordOptions:
    """Return the options that parsed arguments ask for.

    Raises:
        ValueError: They make no sense.
    """
    return RecordOptions(
        output=arguments.output,
        topics=tuple(arguments.topics),
        pattern=arguments.pattern,
        overwrite=arguments.overwrite,
        duration_s=arguments.duration,
        arrival_log=arguments.arrival_log,
    )
