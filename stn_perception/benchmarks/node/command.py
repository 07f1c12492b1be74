# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench node`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "Camera, node and reader as processes through ROS; ours, a plain node and the floor."
EXAMPLE = "stn bench node --case vga-4 --stages --json node.json"
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--case",
        action="append",
        metavar="NAME",
        help="<vga|1080p>-<objects>[-<cameras>cams]; may be given again (seven of them)",
    )
    parser.add_argument(
        "--cameras", action="store_true", help="cost over 1 to 8 cameras instead: vga-4-<n>cams"
    )
    parser.add_argument("--only-ours", action="store_true", help="neither plain node nor floor")
    parser.add_argument("--duration", type=float, default=10.0, help="seconds of frames (10)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="of these not counted (2)")
    parser.add_argument("--rate", type=float, default=30.0, help="frames per second (30)")
    parser.add_argument("--repetitions", type=int, default=1, help="of every case (1)")
    parser.add_argument("--model", default="planar", help="archive or shipped name (planar)")
    parser.add_argument("--threads", type=int, default=0, help="num_threads of our node (0)")
    parser.add_argument("--stages", action="store_true", help="where our node's time goes")
    parser.add_argument("--memory", action="store_true", help="our node's memory over time")
    parser.add_argument(
        "--flame", type=Path, metavar="FILE", help="flame graph of our node (SVG; needs py-spy)"
    )


def run(parsed: argparse.Namespace) -> int:
    """Measure and print."""
    from stn_perception.benchmarks.node.measure import Choice, measure
    from stn_perception.benchmarks.node.passage import Interrupted, PassageError
    from stn_perception.benchmarks.report import publish
    from stn_perception.node.stop_signal import StopSignal

    choice = Choice.from_parsed(parsed)
    try:
        with StopSignal() as stop:
            report = measure(choice, stop)
    except Interrupted:
        return INTERRUPTED
    except PassageError as error:
        print(f"stn bench node: {error}", file=sys.stderr)
        return 1
    return publish(report, parsed.json)
