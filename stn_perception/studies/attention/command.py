# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study attention`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Glimpses in sequence, by STN or REINFORCE, against full attention at equal operations."
EXAMPLE = "stn study attention --json attention.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)


def run(parsed: argparse.Namespace) -> int:
    """Train if asked to, score the networks, print the table."""
    from stn_perception.studies.attention.study import AttentionStudy

    return run_learned_study(AttentionStudy(), parsed)
