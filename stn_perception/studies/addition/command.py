# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study addition`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "The sum of two digits: a CNN with and without two parallel transformers."
EXAMPLE = "stn study addition --json addition.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.addition.study import AdditionStudy

    return run_learned_study(AdditionStudy(), parsed)
