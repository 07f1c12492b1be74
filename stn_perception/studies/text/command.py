# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study text`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "A one-dimensional transformer over words: topics, sentiment, articles hidden in filler."
EXAMPLE = "stn study text --json text.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train if asked to, score the networks and the references, print the tables."""
    from stn_perception.studies.text.study import TextStudy

    return run_learned_study(TextStudy(), parsed)
