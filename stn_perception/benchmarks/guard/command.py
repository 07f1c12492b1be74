# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench guard`."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = (
    "Compare ratios and counts that hardly vary with committed figures; the status is 1 where "
    "one is more than 1.4 times as large."
)
EXAMPLE = "stn bench guard --figures benchmarks/guard.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "--figures",
        type=Path,
        default=Path("benchmarks/guard.json"),
        help="committed figures (benchmarks/guard.json)",
    )
    parser.add_argument(
        "--update", action="store_true", help="measure, and write the figures instead"
    )


def run(parsed: argparse.Namespace) -> int:
    """Measure, compare, print."""
    from stn_perception.benchmarks.guard.compare import compare_with, update

    if parsed.update:
        return update(parsed.figures, parsed.json)
    return compare_with(parsed.figures, parsed.json)
