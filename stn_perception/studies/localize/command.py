# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study localize`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Objects in clutter, boxed by networks that are told the class only."
EXAMPLE = "stn study localize --json localize.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train or score the rows and print the table."""
    from stn_perception.studies.localize.study import LocalizeStudy

    return run_learned_study(LocalizeStudy(), parsed)
