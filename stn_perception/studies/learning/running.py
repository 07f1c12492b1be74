# SPDX-License-Identifier: Apache-2.0
"""Train and score the rows of a learned study."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import lightning
import torch

from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.fitting import fit
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.learning.weights import (
    TrainingFacts,
    read_weights,
    weights_path,
    write_weights,
)


def chosen_rows(study: LearnedStudy, wanted: Sequence[str] | None) -> list[str]:
    """Return the rows that are asked for, all of them where none is named.

    Raises:
        StudyError: There is no such row.
    """
    for row in wanted or ():
        if row not in study.rows:
            raise StudyError(
                f"the study {study.name} has no row '{row}', expected some of "
                f"{', '.join(study.rows)}."
            )
    return [row for row in study.rows if not wanted or row in wanted]


def train_rows(
    study: LearnedStudy, rows: Iterable[str], seeds: Sequence[int], folder: Path, device: str
) -> None:
    """Train what has no weights in the folder yet; each network is written as it is finished."""
    for row in rows:
        for seed in seeds:
            path = weights_path(folder, row, seed)
            if path.exists():
                print(f"{path} is there already", file=sys.stderr)
                continue
            print(f"{study.name}: {row}, seed {seed}", file=sys.stderr, flush=True)
            _train(study, row, seed, path, device)


def _train(study: LearnedStudy, row: str, seed: int, path: Path, device: str) -> None:
    settings = study.settings(row).model_copy(update={"device": device})
    lightning.seed_everything(seed, workers=False, verbose=False)
    network = study.network(row)
    fitted = fit(study.lesson(row, network), settings, seed)
    facts = TrainingFacts(
        command=f"stn study {study.name} --train --rows {row} --seeds {seed}",
        seed=seed,
        parameters=parameter_count(fitted.network),
        samples=settings.steps * settings.batch_size,
        seconds=fitted.seconds,
        threads=fitted.threads,
        device=fitted.device,
        validation=fitted.validation,
    )
    write_weights(path, fitted.network, facts)
    figures = ", ".join(f"{key} {value:.4g}" for key, value in fitted.validation.items())
    print(f"{path}: {fitted.seconds:.0f} s, validation: {figures}", file=sys.stderr, flush=True)


def score_rows(
    study: LearnedStudy, rows: Iterable[str], seeds: Sequence[int], folder: Path, device: str
) -> Outcomes:
    """Score what has weights in the folder; other rows come back without seeds."""
    return {row: _score(study, row, seeds, folder, device) for row in rows}


def _score(
    study: LearnedStudy, row: str, seeds: Sequence[int], folder: Path, device: str
) -> RowOutcome:
    scores, facts = {}, {}
    for seed in seeds:
        path = weights_path(folder, row, seed)
        if path.exists():
            network = study.network(row)
            facts[seed] = read_weights(path, network)
            with torch.no_grad():
                scores[seed] = dict(study.scores(row, network.to(device).eval()))
    return RowOutcome(scores, facts)
