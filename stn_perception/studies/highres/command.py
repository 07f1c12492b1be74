# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study highres`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "4K frames: look in low resolution, read one view in full, against the full frame."
EXAMPLE = "stn study highres --json highres.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.highres.study import HighresStudy

    return run_learned_study(HighresStudy(), parsed)
