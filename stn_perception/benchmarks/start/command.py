# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench start`."""

from __future__ import annotations

import argparse
import sys

SUMMARY = "From the start of the node's process to its first view, step by step."
EXAMPLE = "stn bench start --repetitions 5 --json start.json"
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--case", default="vga-4", help="what the camera shows (vga-4)")
    parser.add_argument("--repetitions", type=int, default=5, help="starts (5)")
    parser.add_argument("--model", default="planar", help="archive or shipped name (planar)")


def run(parsed: argparse.Namespace) -> int:
    """Measure and print."""
    from stn_perception.benchmarks.node.cases import case_of
    from stn_perception.benchmarks.node.passage import Interrupted, PassageError
    from stn_perception.benchmarks.report import publish
    from stn_perception.benchmarks.start.measure import measure
    from stn_perception.node.stop_signal import StopSignal

    if parsed.repetitions < 1:
        raise ValueError(f"--repetitions is {parsed.repetitions}, expected at least 1")
    try:
        with StopSignal() as stop:
            report = measure(case_of(parsed.case), parsed.model, parsed.repetitions, stop)
    except Interrupted:
        return INTERRUPTED
    except PassageError as error:
        print(f"stn bench start: {error}", file=sys.stderr)
        return 1
    return publish(report, parsed.json)
