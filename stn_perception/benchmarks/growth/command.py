# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench growth`."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "Cost of the Pipeline over objects (1-256) and frame size (VGA-4K), fitted and drawn."
EXAMPLE = "stn bench growth --svg growth.svg --json growth.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--model", default="planar", help="a file or a shipped name (planar)")
    parser.add_argument("--most", type=int, default=256, help="most objects in a frame (256)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each case (5)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (all)")
    parser.add_argument("--backend", default="auto", help="our warping back end (auto)")
    parser.add_argument(
        "--uncalibrated", action="store_true", help="a camera without calibration: no poses"
    )
    parser.add_argument("--svg", type=Path, help="where the plots go")


def run(parsed: argparse.Namespace) -> int:
    """Measure, draw and print."""
    from stn_perception.benchmarks.growth.measure import measure
    from stn_perception.benchmarks.growth.plots import plots
    from stn_perception.benchmarks.pipeline.scenes import BenchSettings
    from stn_perception.benchmarks.report import publish
    from stn_perception.runtime.whole_file import write_whole_file

    settings = BenchSettings(
        parsed.model, parsed.rounds, parsed.threads, parsed.backend, not parsed.uncalibrated
    )
    report = measure(parsed.most, settings)
    status = publish(report, parsed.json)
    if parsed.svg is not None:
        parsed.svg.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(parsed.svg, plots(report.rows))
    return status
