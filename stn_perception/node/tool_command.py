# SPDX-License-Identifier: Apache-2.0
"""What the commands of player and recorder share: how they are called and how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_node import StartError
from stn_perception.runtime.whole_file import write_whole_file

Run = Callable[[argparse.Namespace, StopSignal, Sequence[str]], int]


class Report(Protocol):
    """What a tool tells of its work."""

    def sentence(self) -> str:
        """For people."""

    def to_json(self) -> str:
        """For machines."""


Told = TypeVar("Told", bound=Report)


def tool_main(parser: argparse.ArgumentParser, run: Run, argv: Sequence[str] | None = None) -> int:
    """Parse a tool's command line and run it until it ends or is told to.

    Args:
        parser: Knows the tool's own arguments; what follows ``--ros-args`` is left to ROS.
        run: Takes the parsed arguments, the stop signal and the ROS arguments.
        argv: Command line without the program's name; None takes the process's own.

    Returns:
        The exit status.
    """
    with StopSignal() as stop:
        arguments = list(sys.argv[1:] if argv is None else argv)
        ros_at = arguments.index("--ros-args") if "--ros-args" in arguments else len(arguments)
        return run(parser.parse_args(arguments[:ros_at]), stop, arguments[ros_at:])


def told(work: Callable[[], Told], json_file: Path | None) -> Told | None:
    """Work and print the report, or the sentence that says why that was not possible.

    Args:
        work: Returns the report.
        json_file: Where it goes for machines, if anywhere.

    Returns:
        The report, None where the work was not possible.
    """
    from stn_perception.bags import BagError

    try:
        report = work()
        print(report.sentence())
        if json_file:
            write_whole_file(json_file, report.to_json())
    except (BagError, StartError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return None
    return report
