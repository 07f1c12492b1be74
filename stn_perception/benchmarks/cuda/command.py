# SPDX-License-Identifier: Apache-2.0
"""Options of `stn bench cuda`."""

from __future__ import annotations

import argparse

SUMMARY = "Views and the whole pipeline on a CUDA device: ours, torch, kornia, CV-CUDA."
EXAMPLE = "stn bench cuda --json cuda.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--rounds", type=int, default=30, help="rounds of each case (30)")
    parser.add_argument("--views", type=int, default=1024, help="views a large batch (1024)")
    parser.add_argument("--model", default="planar", help="model of the whole pipeline (planar)")


def run(parsed: argparse.Namespace) -> int:
    """Measure and print; refuse where there is no device."""
    from stn_perception.runtime.cuda.availability import missing

    reason = missing()
    if reason is not None:
        raise ValueError(f"{reason}.")
    from stn_perception.benchmarks.cuda.measure import measure
    from stn_perception.benchmarks.report import publish

    return publish(measure(parsed.rounds, parsed.views, parsed.model), parsed.json)
