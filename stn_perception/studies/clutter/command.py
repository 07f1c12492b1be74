# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study clutter`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Translated digits in clutter: a CNN with and without a transformer."
EXAMPLE = "stn study clutter --json clutter.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.clutter.study import ClutterStudy

    return run_learned_study(ClutterStudy(), parsed)
