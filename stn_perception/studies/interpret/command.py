# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study interpret`."""

from __future__ import annotations

import argparse
from pathlib import Path

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Is the angle that a transformer has learned the angle of the object?"
EXAMPLE = "stn study interpret --plot angles.svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="write learned over true angles as SVG, only"
    )


def run(parsed: argparse.Namespace) -> int:
    """Train if asked to, measure and print the table."""
    from stn_perception.studies.interpret.study import InterpretStudy, write_plot
    from stn_perception.studies.learning.weights import shipped_weights

    if parsed.plot is not None:
        write_plot(parsed.weights or shipped_weights("interpret"), parsed.plot)
        return 0
    return run_learned_study(InterpretStudy(), parsed)
