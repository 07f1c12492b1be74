# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study overhead`."""

from __future__ import annotations

import argparse

SUMMARY = "What a transformer adds to a training step of its host network."
EXAMPLE = "stn study overhead --json overhead.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--repeats", type=int, default=9, help="rounds of the timing (9)")


def run(parsed: argparse.Namespace) -> int:
    """Measure and print the table."""
    from stn_perception.studies.errors import StudyError
    from stn_perception.studies.overhead.study import study
    from stn_perception.studies.report import publish

    if parsed.train:
        raise StudyError("--train is given, but this study trains nothing: it times steps.")
    return publish(study(parsed.repeats), parsed.json)
