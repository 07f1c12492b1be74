# SPDX-License-Identifier: Apache-2.0
"""The guard's figures against the committed ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stn_perception.benchmarks.guard.figures import count_figures, ratio_figures
from stn_perception.benchmarks.report import BenchReport, Cell, machine, publish
from stn_perception.runtime.report_parts import Target
from stn_perception.runtime.threads import one_thread
from stn_perception.runtime.whole_file import write_whole_file

LIMIT = 1.4
_ATTEMPTS = 4


class CommittedFigures(BaseModel):
    """What the file holds.

    Attributes:
        processor: Where the ratios were measured; elsewhere they are shown and not judged.
        ratios: Time over a peer's time in the same run, by name.
        counts: Numbers of calls, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    processor: str
    ratios: dict[str, float]
    counts: dict[str, float]


def update(file: Path, json_path: Path | None) -> int:
    """Measure everything and write the figures."""
    with one_thread():
        ratios = {name: _least(measure, 0.0) for name, measure in ratio_figures().items()}
        counts = {name: measure() for name, measure in count_figures().items()}
    figures = CommittedFigures(processor=machine()["processor"], ratios=ratios, counts=counts)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(file, json.dumps(figures.model_dump(), indent=2) + "\n")
    rows: list[Mapping[str, Cell]] = [
        {"figure": name, "value": value} for name, value in (ratios | counts).items()
    ]
    return publish(BenchReport("guard", "stn bench guard --update", rows), json_path)


def compare_with(file: Path, json_path: Path | None) -> int:
    """Measure, print, and return 1 where a figure is more than ``LIMIT`` times the committed one.

    A ratio that looks too large is measured again: what disturbs a run passes, a loss stays.

    Raises:
        ValueError: The file does not hold figures, or not those that are measured.
    """
    committed = _read(file)
    is_judged = committed.processor == machine()["processor"]
    with one_thread():
        found = _measured(ratio_figures(), committed.ratios, _ATTEMPTS if is_judged else 1)
        counts = _measured(count_figures(), committed.counts, 1)
    rows: list[Mapping[str, Cell]] = []
    targets = []
    for values, before, judged in (
        (found, committed.ratios, is_judged),
        (counts, committed.counts, True),
    ):
        for name, value in values.items():
            times = value / before[name]
            rows.append(
                {"figure": name, "now / committed": times, "now": value, "was": before[name]}
            )
            if judged:
                targets.append(Target(f"{name}: now / committed", times, LIMIT, at_least=False))
    elsewhere = f"The ratios were committed on {committed.processor!r}: shown here, not judged."
    notes = [] if is_judged else [elsewhere]
    publish(BenchReport("guard", "stn bench guard", rows, targets, notes), json_path)
    return 0 if all(target.is_met for target in targets) else 1


def _read(file: Path) -> CommittedFigures:
    try:
        return CommittedFigures.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(
            f"{file} holds no figures of the guard: {place}: {first['msg']}"
        ) from error


def _measured(
    measures: Mapping[str, Callable[[], float]], committed: Mapping[str, float], attempts: int
) -> dict[str, float]:
    if set(measures) != set(committed):
        other = sorted(set(measures) ^ set(committed))
        raise ValueError(
            f"the committed figures differ in {other} from those measured; "
            "write them anew with --update"
        )
    return {
        name: _least(measure, LIMIT * committed[name], attempts)
        for name, measure in measures.items()
    }


def _least(measure: Callable[[], float], enough: float, attempts: int = _ATTEMPTS) -> float:
    """The least of some measurements, the last of them the first that is small enough."""
    least = measure()
    for _ in range(attempts - 1):
        if least <= enough:
            break
        least = min(least, measure())
    return least
