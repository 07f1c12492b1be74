# SPDX-License-Identifier: Apache-2.0
"""Every pair with every method, side by side in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stn_perception.runtime.threads import one_thread
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError
from stn_perception.studies.registration.cases import (
    MadeRange,
    RegistrationCase,
    file_cases,
    made_case,
    spline_case,
)
from stn_perception.studies.registration.errors import (
    RegistrationError,
    error_of_matrix,
    error_of_points,
)
from stn_perception.studies.registration.methods import (
    OURS,
    Method,
    file_methods,
    made_methods,
    spline_methods,
)
from stn_perception.studies.registration.slices import FIXED, PACKAGE, read_slice
from stn_perception.studies.report import Cell, Spread, StudyReport, Target

# A result within a pixel is a registration, however precise; beyond it is another place.
_FOUND_PX = 1.0


@dataclass(frozen=True)
class _Judged:
    error: RegistrationError
    time_ms: float


def study(seeds: int, pairs: int) -> StudyReport:
    """Register files and made pairs.

    Args:
        seeds: Of the made pairs, counted from 0.
        pairs: Made for each seed.

    Raises:
        StudyError: A number below 1, or data that cannot be had.
    """
    if min(seeds, pairs) < 1:
        raise StudyError(f"seeds and pairs are {seeds} and {pairs}, expected at least 1.")
    folder = package_files(PACKAGE)
    with one_thread():
        files = list(_rows_of_files(file_cases(folder), file_methods()))
        spline = list(_rows_of_files([spline_case(folder)], spline_methods()))
        made = _made_rows(folder, range(seeds), pairs)
    return StudyReport(
        name="registration",
        command=f"stn study registration --seeds {seeds} --pairs {pairs}",
        tables={"Files": files, "B-spline": spline, "Made pairs": made},
        targets=_targets(files),
        notes=[
            "px: mean distance between found and true points over the tissue; °, scale: of the "
            "nearest similarity. Times of one thread, warm.",
            f"Made pairs: {pairs} of each seed, ± standard deviation over {seeds} seeds; found is "
            f"the share within {_FOUND_PX:g} px, and the errors are medians over the pairs.",
        ],
        settings={"seeds": list(range(seeds)), "pairs": pairs, "range": vars(MadeRange())},
    )


def judge(case: RegistrationCase, method: Method) -> _Judged:
    """Register a pair and compare with the truth."""
    begin = time.perf_counter()
    found = method(case.view, case.source)
    time_ms = 1e3 * (time.perf_counter() - begin)
    if found.matrix is None:
        return _Judged(error_of_points(case, found.points), time_ms)
    return _Judged(error_of_matrix(case, found.points, found.matrix), time_ms)


def _rows_of_files(
    cases: Iterable[RegistrationCase], methods: Mapping[str, Method]
) -> Iterable[Mapping[str, Cell]]:
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


def _made_rows(folder: Path, seeds: Iterable[int], pairs: int) -> list[Mapping[str, Cell]]:
    methods = made_methods()
    slice_ = read_slice(folder, FIXED)
    judged: dict[str, list[list[_Judged]]] = {name: [] for name in methods}
    for seed in seeds:
        generator = np.random.default_rng(seed)
        cases = [made_case(slice_, MadeRange(), generator) for _ in range(pairs)]
        for name, method in methods.items():
            judged[name].append([judge(case, method) for case in cases])
    return [_made_row(name, per_seed) for name, per_seed in judged.items()]


def _made_row(name: str, per_seed: list[list[_Judged]]) -> Mapping[str, Cell]:
    def over_seeds(figures: Iterable[Iterable[float]]) -> Spread:
        return Spread(tuple(statistics.median(of_seed) for of_seed in figures))

    errors = [[pair.error for pair in pairs] for pairs in per_seed]
    found = tuple(statistics.fmean(e.mean_px <= _FOUND_PX for e in of) for of in errors)
    return {
        "method": name,
        "found": Spread(found),
        "px": over_seeds([e.mean_px for e in of] for of in errors),
        "°": over_seeds([e.angle_deg or 0.0 for e in of] for of in errors),
        "scale": over_seeds([e.scale or 0.0 for e in of] for of in errors),
        "ms": over_seeds([pair.time_ms for pair in pairs] for pairs in per_seed),
    }


def _targets(files: list[Mapping[str, Cell]]) -> list[Target]:
    limits = {"px": 0.02, "°": 0.02, "scale": 1e-3}
    ours = [row for row in files if row["method"] == OURS]
    return [
        Target(f"files, worst {key}", max(_number(row[key]) for row in ours), limit)
        for key, limit in limits.items()
    ]


def _number(cell: Cell) -> float:
    assert isinstance(cell, float)
    return cell
