# SPDX-License-Identifier: Apache-2.0
"""The tables of the study and what their figures are held to."""

from __future__ import annotations

from collections.abc import Mapping

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.report import Cell, Spread, StudyReport
from stn_perception.studies.text.folds import FOLDS
from stn_perception.studies.text.references import REFERENCES

_TITLES = {
    "topics": "Topics of BBC articles",
    "sentiment": "Sentiment of film snippets",
    "hidden": "Articles hidden in four times as much filler",
}
_LIMITS = {"topics": 98.3, "sentiment": 82.0}
_STN_DROP, _OTHER_DROP, _IOU = 2.0, 8.0, 0.7
_ACCURACY = "accuracy_percent"


def text_report(outcomes: Outcomes, command: str) -> StudyReport:
    """Return tables, targets and notes.

    Args:
        outcomes: Of the rows TASK-HOST and TASK-HOST-stn.
        command: What makes these figures.
    """
    tables = {}
    for task, title in _TITLES.items():
        rows = {row: outcome for row, outcome in outcomes.items() if row.split("-")[0] == task}
        if rows:
            tables[title] = [*_reference(task, rows), *_rows(task, rows)]
    return StudyReport(
        name="text",
        command=command,
        tables=tables,
        targets=targets_of(outcomes),
        notes=[
            "Seed n tests fold n mod 5: a fifth of the texts. Networks learn from 90 % of the "
            "others, the rest of them chose the settings; the references learn from all of them.",
            "Without -stn: the same network whose view is always the whole text, the host as much "
            "larger as the localization network has numbers.",
        ],
    )


def targets_of(outcomes: Outcomes) -> list[Target]:
    """Return what is held to a limit, of the rows that are trained."""
    return [*_accuracy_targets(outcomes), *_hidden_targets(outcomes)]


def _reference(task: str, rows: Mapping[str, RowOutcome]) -> list[dict[str, Cell]]:
    seeds = sorted({seed for outcome in rows.values() for seed in outcome.scores}) or [0]
    name, accuracy = REFERENCES[task]
    found = Spread(tuple(accuracy(seed % FOLDS) for seed in seeds))
    empty = dict.fromkeys(list(_cells(task, RowOutcome()))[1:])
    return [{"row": f"reference: {name}", "accuracy %": found, **empty}]


def _rows(task: str, rows: Mapping[str, RowOutcome]) -> list[dict[str, Cell]]:
    return [{"row": row, **_cells(task, outcome)} for row, outcome in rows.items()]


def _cells(task: str, outcome: RowOutcome) -> dict[str, Cell]:
    cells: dict[str, Cell] = {
        "accuracy %": outcome.spread(_ACCURACY),
        "share of the text seen": outcome.spread("share_seen"),
    }
    if task == "hidden":
        cells["span IoU"] = outcome.spread("span_iou")
    return {**cells, "parameters": outcome.parameters, "minutes": outcome.training_minutes}


def _accuracy_targets(outcomes: Outcomes) -> list[Target]:
    return [
        Target(f"{row}, %", known, _LIMITS[task], at_least=True)
        for row, outcome in outcomes.items()
        if (task := row.split("-")[0]) in _LIMITS and row.endswith("-stn")
        if (known := outcome.best_known(_ACCURACY)) is not None
    ]


def _hidden_targets(outcomes: Outcomes) -> list[Target]:
    """Hold the loss by hiding, against the same row on the bare articles, to its limits."""
    targets = []
    for row, outcome in outcomes.items():
        task, _, rest = row.partition("-")
        bare = outcomes.get(f"topics-{rest}", RowOutcome()).best_known(_ACCURACY)
        hidden = outcome.best_known(_ACCURACY)
        if task != "hidden" or bare is None or hidden is None:
            continue
        looks = rest.endswith("-stn")
        limit = _STN_DROP if looks else _OTHER_DROP
        targets.append(Target(f"{row}, points lost", bare - hidden, limit, at_least=not looks))
        overlap = outcome.best_known("span_iou")
        if looks and overlap is not None:
            targets.append(Target(f"{row}, span IoU", overlap, _IOU, at_least=True))
    return targets
