# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench pipeline`."""

from __future__ import annotations

import argparse

SUMMARY = "The whole Pipeline on the CPU, stage by stage, and the same steps in eager torch."
EXAMPLE = "stn bench pipeline --json pipeline.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--model", default="planar", help="a file or a shipped name (planar)")
    parser.add_argument(
        "--size",
        action="append",
        metavar="NAME",
        help="vga or 1080p; may be given again (both)",
    )
    parser.add_argument(
        "--objects",
        action="append",
        type=int,
        metavar="N",
        help="objects in a frame; may be given again (1, 4, 16 and 64)",
    )
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each case (9)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of everyone (all)")
    parser.add_argument("--backend", default="auto", help="our warping back end (auto)")
    parser.add_argument(
        "--uncalibrated", action="store_true", help="a camera without calibration: no poses"
    )


def run(parsed: argparse.Namespace) -> int:
    """Measure and print."""
    from stn_perception.benchmarks.pipeline.measure import measure
    from stn_perception.benchmarks.pipeline.scenes import BenchSettings
    from stn_perception.benchmarks.report import publish

    settings = BenchSettings(
        parsed.model, parsed.rounds, parsed.threads, parsed.backend, not parsed.uncalibrated
    )
    report = measure(parsed.size or ("vga", "1080p"), parsed.objects or (1, 4, 16, 64), settings)
    return publish(report, parsed.json)
