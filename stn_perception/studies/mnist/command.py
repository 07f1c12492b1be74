# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study mnist`."""

from __future__ import annotations

import argparse

from stn_perception.studies.learning.options import add_learning_options, run_learned_study

SUMMARY = "Distorted MNIST: networks with and without transformers, affine to thin-plate spline."
EXAMPLE = "stn study mnist --rows cnn-r st-cnn-affine-r"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add_learning_options(parser)
    parser.add_argument(
        "--overhead", action="store_true", help="time the transformers beside their hosts, only"
    )


def run(parsed: argparse.Namespace) -> int:
    """Train if asked to, score and print the tables."""
    from stn_perception.studies.mnist.overhead import overhead_report
    from stn_perception.studies.mnist.study import MnistStudy
    from stn_perception.studies.report import publish

    if parsed.overhead:
        return publish(overhead_report(), parsed.json)
    return run_learned_study(MnistStudy(), parsed)
