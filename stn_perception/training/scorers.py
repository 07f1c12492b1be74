# SPDX-License-Identifier: Apache-2.0
"""Which scoring belongs to which model, found by the name on its card."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.speed import measure_speed

# (archive, samples, seed, data folder or none) to a result with ``rows``.
ScoreArchive = Callable[[ModelArchive, int, int, "Path | None"], dict[str, Any]]
Table = Callable[[dict[str, Any]], str]

# Module and function per name. Imported when used: each has dependencies of its own.
SCORERS = {
    "planar": "stn_perception.training.scoring:score_planar",
    "tabletop": "stn_perception.training.tabletop.scoring:score_tabletop",
    "signs": "stn_perception.training.road_signs.scoring:score_signs",
}
TABLES = {
    "planar": "stn_perception.training.score_table:score_table",
    "tabletop": "stn_perception.training.tabletop.scoring:tabletop_table",
    "signs": "stn_perception.training.road_signs.scoring:signs_table",
}
_DEFAULT = "planar"


@dataclass(frozen=True)
class Scorer:
    """How one kind of model is scored.

    Attributes:
        score: measures an archive. Its result holds ``model``, ``version``, ``weights_sha256``,
            ``seed`` and ``rows``; each row ``data``, ``method``, ``samples`` and figures as
            ``{"value", "low", "high"}`` with 95 % bootstrap intervals.
        table: that result as a Markdown table.
    """

    score: ScoreArchive
    table: Table


def scorer_of(name: str) -> Scorer:
    """Return the scorer of a model by its card's name; unknown names are scored as planar."""
    kind = name if name in SCORERS else _DEFAULT
    return Scorer(score=_imported(SCORERS[kind]), table=_imported(TABLES[kind]))


def score_model(
    archive: ModelArchive, samples: int, seed: int, data: Path | None = None
) -> dict[str, Any]:
    """Score an archive the way its kind is scored, and time it (``speed``).

    Raises:
        ValueError: fewer than two samples are asked for.
    """
    if samples < 2:
        raise ValueError(f"samples is {samples}, expected at least 2")
    result = scorer_of(archive.card.name).score(archive, samples, seed, data)
    return result | {"speed": measure_speed(archive)}


def _imported(where: str) -> Any:
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)
