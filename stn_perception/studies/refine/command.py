# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study refine`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Perturbed digits: a small CNN, and one, two or four looks of a transformer."
EXAMPLE = "stn study refine --json refine.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.refine.study import RefineStudy

    return run_learned_study(RefineStudy(), parsed)
