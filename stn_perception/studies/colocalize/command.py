# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study colocalize`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "100 unlabelled pictures of one digit class: where is what they have in common?"
EXAMPLE = "stn study colocalize --json colocalize.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.colocalize.study import ColocalizeStudy

    return run_learned_study(ColocalizeStudy(), parsed)
