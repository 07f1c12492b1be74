# SPDX-License-Identifier: Apache-2.0
"""Which scoring belongs to which model, found by the name on its card."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.model_card import ModelCard
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


def scorer_of(card: ModelCard) -> Scorer:
    """Return the scorer of a model by its card.

    A model of another name is scored as ``planar`` if it promises the same: a quadrilateral
    without an up.

    Raises:
        ValueError: no scoring belongs to such a model.
    """
    kind = card.name
    if kind not in SCORERS:
        if (card.family, card.symmetry) != ("projective", 4):
            raise ValueError(
                f"no held-out samples belong to the model {card.name!r} ({card.family}, symmetry "
                f"{card.symmetry}), expected {', '.join(SCORERS)} or another projective one of "
                "symmetry 4; python -m stn_perception.training.own_bag.scoring scores a model of "
                "one object on a recording with truth"
            )
        kind = "planar"
    return Scorer(score=_imported(SCORERS[kind]), table=_imported(TABLES[kind]))


def score_model(
    archive: ModelArchive, samples: int, seed: int, data: Path | None = None
) -> dict[str, Any]:
    """Score an archive the way its kind is scored, and time it (``speed``).

    Raises:
        ValueError: fewer than two samples are asked for, or no scoring belongs to the model.
    """
    if samples < 2:
        raise ValueError(f"samples is {samples}, expected at least 2")
    result = scorer_of(archive.card).score(archive, samples, seed, data)
    return result | {"speed": measure_speed(archive)}


def _imported(where: str) -> Any:
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)
