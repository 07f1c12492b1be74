# SPDX-License-Identifier: Apache-2.0
"""Options of `stn study registration`."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "Brain slices with known transforms: an unsupervised STN, OpenCV's ECC and kornia's."
EXAMPLE = "stn study registration --json registration.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the made pairs (3)")
    parser.add_argument(
        "--rows", nargs="+", metavar="ROW", help="with --train: predictor, which is all there is"
    )
    parser.add_argument("--pairs", type=int, default=3, help="made pairs of each seed (3)")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="write pairs and differences as a JPEG, only"
    )


def run(parsed: argparse.Namespace) -> int:
    """Register every pair with every method and print the table.

    With ``--train`` the predictor of starts is trained, into ``studies/registration``; it comes
    with the package otherwise. Everything else is found for each pair anew.
    """
    from stn_perception.studies.learning.running import chosen_rows, train_rows
    from stn_perception.studies.registration.picture import write_picture
    from stn_perception.studies.registration.predictor_study import PredictorStudy
    from stn_perception.studies.registration.study import study
    from stn_perception.studies.report import publish

    if parsed.train:
        rows = chosen_rows(PredictorStudy(), parsed.rows)
        train_rows(PredictorStudy(), rows, [0], Path("studies") / "registration", "cpu")
        return 0
    if parsed.picture is not None:
        write_picture(parsed.picture)
        return 0
    return publish(study(parsed.seeds, parsed.pairs), parsed.json)
