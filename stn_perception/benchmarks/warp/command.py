# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench warp`."""

from __future__ import annotations

import argparse

SUMMARY = "Views from frames on the CPU: ours, OpenCV, torch and kornia in turn."
EXAMPLE = "stn bench warp --json warp.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--case",
        action="append",
        metavar="NAME",
        help="1080p-8, 4k-1, crops-64 or crops-256; may be given again (all)",
    )
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each case (15)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of everyone (all)")
    parser.add_argument("--backend", default="auto", help="our warping back end (auto)")


def run(parsed: argparse.Namespace) -> int:
    """Measure and print."""
    from stn_perception.benchmarks.report import publish
    from stn_perception.benchmarks.warp.measure import measure

    names = tuple(parsed.case) if parsed.case else None
    report = measure(names, parsed.rounds, parsed.threads, parsed.backend)
    return publish(report, parsed.json)
