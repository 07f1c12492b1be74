# SPDX-License-Identifier: Apache-2.0
"""What the commands of player and recorder share: their own arguments, then ROS's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from stn_perception.node.stop_signal import StopSignal

Run = Callable[[argparse.Namespace, StopSignal, Sequence[str]], int]


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
