# SPDX-License-Identifier: Apache-2.0
"""The tables of the study."""

from __future__ import annotations

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.digits.distortion import KINDS, Kind
from stn_perception.studies.learning.outcomes import Outcomes, RowOutcome
from stn_perception.studies.mnist.rows import ROWS, networks_of
from stn_perception.studies.report import Cell, StudyReport

LIMITS: dict[Kind, float] = {"R": 0.45, "RTS": 0.40, "P": 0.60, "E": 0.90}
# Test errors of the paper's table 1 (left), per cent; networks of 400,000 parameters.
PUBLISHED: dict[str, tuple[float, float, float, float]] = {
    "fcn": (2.1, 5.2, 3.1, 3.2),
    "cnn": (1.2, 0.8, 1.5, 1.4),
    "st-fcn-affine": (1.2, 0.8, 1.5, 2.7),
    "st-fcn-projective": (1.3, 0.9, 1.4, 2.6),
    "st-fcn-tps": (1.1, 0.8, 1.4, 2.4),
    "st-cnn-affine": (0.7, 0.5, 0.8, 1.2),
    "st-cnn-projective": (0.8, 0.6, 0.8, 1.3),
    "st-cnn-tps": (0.7, 0.5, 0.8, 1.1),
}
_ERROR = "error_percent"


def report(outcomes: Outcomes, command: str) -> StudyReport:
    """Return the errors beside the published ones, and what each network is and cost."""
    networks = networks_of(list(outcomes))
    return StudyReport(
        name="mnist",
        command=command,
        tables={
            "Error on the test split, %": [_errors(outcomes, name) for name in networks],
            "Published errors, %": [_published(name) for name in networks],
            "Parameters and minutes of training": [_costs(outcomes, name) for name in networks],
        },
        targets=_targets(outcomes),
        notes=[
            "Every digit of the test split is distorted once, always alike; one pass of one "
            "network, no ensembles.",
            "not yet run: train it with stn study mnist --train --rows NETWORK-KIND, "
            "as in cnn-r or st-cnn-tps-rts.",
        ],
        settings={"published": "Jaderberg et al. 2015, table 1"},
    )


def _outcome(outcomes: Outcomes, network: str, kind: Kind) -> RowOutcome | None:
    return outcomes.get(f"{network}-{kind.lower()}")


def _errors(outcomes: Outcomes, network: str) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"network": network}
    for kind in KINDS:
        found = _outcome(outcomes, network, kind)
        cells[kind] = None if found is None else found.spread(_ERROR)
    return cells


def _published(network: str) -> dict[str, Cell]:
    return {"network": network, **dict(zip(KINDS, PUBLISHED[network], strict=True))}


def _costs(outcomes: Outcomes, network: str) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"network": network}
    for kind in KINDS:
        found = _outcome(outcomes, network, kind)
        cells[f"{kind} parameters"] = found.parameters if found else None
        cells[f"{kind} min"] = found.training_minutes if found else None
    return cells


def _targets(outcomes: Outcomes) -> list[Target]:
    """The transformer's rows that are trained, each held to its distortion's limit."""
    return [
        Target(f"{name}, error %", error, LIMITS[ROWS[name].kind])
        for name, outcome in outcomes.items()
        if ROWS[name].family is not None and ROWS[name].host == "cnn"
        if (error := outcome.best_known(_ERROR)) is not None
    ]
