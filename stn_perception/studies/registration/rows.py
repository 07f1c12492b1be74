# SPDX-License-Identifier: Apache-2.0
"""Rows of the study's tables: every pair of a kind with every method, side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stn_perception.studies.registration.cases import (
    MadeRange,
    Picture,
    RegistrationCase,
    made_case,
)
from stn_perception.studies.registration.errors import (
    RegistrationError,
    error_of_matrix,
    error_of_points,
)
from stn_perception.studies.registration.methods import Method
from stn_perception.studies.report import Cell, Spread

# A result within a pixel is a registration, however precise; beyond it is another place.
FOUND_PX = 1.0
Row = Mapping[str, Cell]


@dataclass(frozen=True)
class Judged:
    """What a method made of a pair."""

    error: RegistrationError
    time_ms: float


def judge(case: RegistrationCase, method: Method) -> Judged:
    """Register a pair and compare with the truth."""
    begin = time.perf_counter()
    found = method(case.view, case.source)
    time_ms = 1e3 * (time.perf_counter() - begin)
    if found.matrix is None:
        return Judged(error_of_points(case, found.points), time_ms)
    return Judged(error_of_matrix(case, found.points, found.matrix), time_ms)


def rows_of_files(
    cases: Iterable[RegistrationCase], methods: Mapping[str, Method]
) -> Iterator[Row]:
    """One row for every pair and method."""
    for number, case in enumerate(cases):
        for name, method in methods.items():
            if number == 0:
                # The first call of everyone pays for what is set up once.
                judge(case, method)
            found = judge(case, method)
            yield {
                "pair": case.name,
                "method": name,
                "px": found.error.mean_px,
                "°": found.error.angle_deg,
                "scale": found.error.scale,
                "ms": found.time_ms,
            }


def rows_of_made(
    make: Callable[[np.random.Generator], RegistrationCase],
    methods: Mapping[str, Method],
    seeds: Iterable[int],
    pairs: int,
) -> Iterator[Row]:
    """One row for every method: medians over the pairs of a seed, spread over the seeds."""
    drawn = [_drawn(make, seed, pairs) for seed in seeds]
    for name, method in methods.items():
        judged = [[judge(case, method) for case in cases] for cases in drawn]
        errors = [[pair.error for pair in of] for of in judged]
        row: dict[str, Cell] = {
            "method": name,
            "found": _found(errors),
            "px": _medians([e.mean_px for e in of] for of in errors),
        }
        if errors[0][0].angle_deg is not None:
            row["°"] = _medians([e.angle_deg or 0.0 for e in of] for of in errors)
            row["scale"] = _medians([e.scale or 0.0 for e in of] for of in errors)
        yield {**row, "ms": _medians([pair.time_ms for pair in of] for of in judged)}


def rows_of_range(
    slice_: Picture,
    methods: Mapping[str, Method],
    turns_deg: Sequence[float],
    seeds: Sequence[int],
    pairs: int,
) -> Iterator[Row]:
    """One row for every method: the share found by how far the pictures are turned."""
    rows: dict[str, dict[str, Cell]] = {name: {"method": name} for name in methods}
    for turn_deg in turns_deg:

        def make(generator: np.random.Generator, turn_deg: float = turn_deg) -> RegistrationCase:
            return made_case(slice_, MadeRange(), generator, turn_deg)

        for row in rows_of_made(make, methods, seeds, pairs):
            found = rows[str(row["method"])]
            found[f"{turn_deg:g}°"] = row["found"]
            found[f"{turn_deg:g}°, ms"] = row["ms"]
    yield from rows.values()


def _drawn(
    make: Callable[[np.random.Generator], RegistrationCase], seed: int, pairs: int
) -> list[RegistrationCase]:
    generator = np.random.default_rng(seed)
    return [make(generator) for _ in range(pairs)]


def _medians(figures: Iterable[Iterable[float]]) -> Spread:
    return Spread(tuple(statistics.median(of_seed) for of_seed in figures))


def _found(errors: list[list[RegistrationError]]) -> Spread:
    return Spread(tuple(statistics.fmean(e.mean_px <= FOUND_PX for e in of) for of in errors))
