# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench evaluation`."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "Frames a second of `stn evaluate` over workers, each on a core of its own."
EXAMPLE = "stn bench evaluation --svg evaluation.svg --json evaluation.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--bag", type=Path, default=Path("samples/duckiebot"), help="what is looped (the sample)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the bag (60)")
    parser.add_argument("--objects", type=int, default=1, help="boxes a frame (1)")
    parser.add_argument("--model", default="planar", help="a file or a shipped name (planar)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each number (3)")
    parser.add_argument("--most", type=int, default=0, help="most workers (one a core)")
    parser.add_argument("--svg", type=Path, help="where the plot goes")


def run(parsed: argparse.Namespace) -> int:
    """Measure, draw and print."""
    from stn_perception.benchmarks.evaluation.looped_bag import Loop
    from stn_perception.benchmarks.evaluation.measure import measure
    from stn_perception.benchmarks.evaluation.plot import plot
    from stn_perception.benchmarks.report import publish
    from stn_perception.runtime.whole_file import write_whole_file

    loop = Loop(seconds=parsed.seconds, objects=parsed.objects)
    report = measure(parsed.bag, loop, parsed.model, parsed.rounds, parsed.most)
    status = publish(report, parsed.json)
    if parsed.svg is not None:
        parsed.svg.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(parsed.svg, plot(report.rows))
    return status
