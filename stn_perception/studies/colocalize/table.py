# SPDX-License-Identifier: Apache-2.0
"""The tables of what is found, and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.colocalize.found import found_percent
from stn_perception.studies.colocalize.pictures import CLASSES, class_pictures
from stn_perception.studies.colocalize.search import search
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.report import Cell

Row = Mapping[str, Cell]

_LIMITS_PERCENT = {"translated": 100.0, "cluttered": 97.0}
_PUBLISHED_PERCENT = {"translated": "100", "cluttered": "75 to 93"}


def found_table(outcome: RowOutcome, cluttered: bool) -> Sequence[Row]:
    """Return a row for each class, with what the search without a network finds."""
    return [
        {
            "digit": str(digit),
            "STN": outcome.spread(f"found_{digit}"),
            "STN, others": outcome.spread(f"others_{digit}"),
            "STN of other classes, others": outcome.spread(f"strangers_{digit}"),
            "STN, mean IoU": outcome.spread(f"overlap_{digit}"),
            "search": _searched_percent(digit, cluttered),
        }
        for digit in range(CLASSES)
    ]


def summary_table(outcomes: Outcomes) -> Sequence[Row]:
    """Return a row for each of T and TC."""
    return [
        {
            "pictures": row,
            "worst class, %": "not yet run"
            if (worst := worst_percent(outcome)) is None
            else worst,
            "published by class, %": _PUBLISHED_PERCENT[row],
            "parameters, ten classes": outcome.parameters,
            "minutes, ten classes": outcome.training_minutes,
        }
        for row, outcome in outcomes.items()
    ]


def targets(outcomes: Outcomes) -> Sequence[Target]:
    """Hold the worst class of what is trained to its limit."""
    return [
        Target(f"{row}, worst class, %", worst, _LIMITS_PERCENT[row], at_least=True)
        for row, outcome in outcomes.items()
        if (worst := worst_percent(outcome)) is not None
    ]


def worst_percent(outcome: RowOutcome) -> float | None:
    """Return the lowest share over classes and seeds; None where nothing is trained yet."""
    shares = [
        scores[f"found_{digit}"] for scores in outcome.scores.values() for digit in range(CLASSES)
    ]
    return min(shares, default=None)


def _searched_percent(digit: int, cluttered: bool) -> float:
    pictures = class_pictures(digit, cluttered, "train")
    return found_percent(search(pictures.images), pictures)
