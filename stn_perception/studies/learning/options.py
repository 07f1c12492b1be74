# SPDX-License-Identifier: Apache-2.0
"""The options that every learned study has, and what they do."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stn_perception.studies.learning.learned_study import LearnedStudy

SEEDS = (0, 1, 2)


def add_learning_options(parser: argparse.ArgumentParser) -> None:
    """Declare them; imports nothing heavy, as it is called to build the command line."""
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="only these rows of the table")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=list(SEEDS), metavar="N", help="0 1 2 as a rule"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="folder of weights; --train writes there what it lacks "
        "(the shipped ones; with --train studies/NAME)",
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "gpu"))
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="write what the networks look at as a JPEG"
    )


def run_learned_study(study: LearnedStudy, parsed: argparse.Namespace) -> int:
    """Train if asked to, score what is trained, and print the table.

    Raises:
        StudyError: An unknown row, a seed below 0, or weights of another network.
    """
    from stn_perception.studies.errors import StudyError
    from stn_perception.studies.learning.running import chosen_rows, score_rows, train_rows
    from stn_perception.studies.learning.weights import shipped_weights
    from stn_perception.studies.report import publish

    if min(parsed.seeds) < 0:
        raise StudyError(f"a seed is {min(parsed.seeds)}, expected at least 0.")
    rows = chosen_rows(study, parsed.rows)
    folder = parsed.weights
    if folder is None:
        folder = Path("studies") / study.name if parsed.train else shipped_weights(study.name)
    device = _device(parsed.device)
    if parsed.train:
        train_rows(study, rows, parsed.seeds, folder, device)
    if parsed.picture is not None:
        study.write_picture(folder, parsed.picture)
        return 0
    outcomes = score_rows(study, rows, parsed.seeds, folder, device)
    return publish(study.report(outcomes, f"stn study {study.name}"), parsed.json)


def _device(asked: str) -> str:
    """Return torch's name of the device, which Lightning knows as well."""
    import torch

    from stn_perception.studies.errors import StudyError

    if asked == "gpu" and not torch.cuda.is_available():
        raise StudyError("--device gpu is given, but PyTorch finds no GPU here.")
    return "cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu"
