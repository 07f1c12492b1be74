# SPDX-License-Identifier: Apache-2.0
"""The table of the study."""

from __future__ import annotations

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.report import Cell, StudyReport

MEDIAN_DEG, R_SQUARED = 2.0, 0.98
_COLUMNS = {
    "by class, median °": "median_deg",
    "by class, R²": "r_squared",
    "slope": "slope",
    "by digit, median °": "digit_median_deg",
    "by digit, R²": "digit_r_squared",
}


def report(outcomes: Outcomes, command: str) -> StudyReport:
    """Return the agreement of learned and true angles, network by network.

    Args:
        outcomes: Of the networks of the study `mnist` and of this one.
        command: What makes these figures.
    """
    rows = [_row(name, outcome) for name, outcome in outcomes.items()]
    return StudyReport(
        name="interpret",
        command=command,
        tables={"Learned against true angle, test split": rows},
        targets=_targets(outcomes),
        notes=[
            "by class: up to one offset of each class, every digit of the test split once. "
            "by digit: up to one offset of each digit, 1000 digits with 8 distortions each. "
            "Offsets are circular means; 0, 1 and 8 are compared modulo 180°.",
            "slope: of the learned angle over the true one; 1 undoes every turn, 0 none.",
            "not yet run: networks of the study mnist are trained by stn study mnist --train "
            "--rows ROW, others by stn study interpret --train --rows ROW.",
        ],
    )


def _row(name: str, outcome: RowOutcome) -> dict[str, Cell]:
    row: dict[str, Cell] = {"network": name}
    row.update({key: outcome.spread(of) for key, of in _COLUMNS.items()})
    reads = not outcome.scores or all("error_percent" in s for s in outcome.scores.values())
    row["error %"] = outcome.spread("error_percent") if reads else None
    return row


def _targets(outcomes: Outcomes) -> list[Target]:
    """Every network on R, without those of the other distortions."""
    targets = []
    for name, outcome in outcomes.items():
        if name.endswith("-r"):
            for key, limit, at_least in (
                ("median_deg", MEDIAN_DEG, False),
                ("r_squared", R_SQUARED, True),
                ("digit_median_deg", MEDIAN_DEG, False),
                ("digit_r_squared", R_SQUARED, True),
            ):
                value = outcome.best_known(key)
                if value is not None:
                    title = next(column for column, of in _COLUMNS.items() if of == key)
                    targets.append(Target(f"{name}, {title}", value, limit, at_least))
    return targets
