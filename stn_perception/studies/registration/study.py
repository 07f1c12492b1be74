# SPDX-License-Identifier: Apache-2.0
"""The whole study: files, splines, made pairs and how far apart pictures may lie."""

from __future__ import annotations

from stn_perception.runtime.report_parts import Target
from stn_perception.runtime.threads import one_thread
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError
from stn_perception.studies.registration.cases import (
    MadeRange,
    file_cases,
    made_case,
    made_spline_case,
    spline_case,
)
from stn_perception.studies.registration.methods import (
    OURS,
    OURS_SPLINE,
    file_methods,
    made_methods,
    range_methods,
    spline_methods,
)
from stn_perception.studies.registration.rows import (
    FOUND_PX,
    Row,
    rows_of_files,
    rows_of_made,
    rows_of_range,
)
from stn_perception.studies.registration.slices import FIXED, PACKAGE, read_slice
from stn_perception.studies.report import StudyReport

TURNS_DEG = (30.0, 90.0)
LIMITS = {"px": 0.02, "°": 0.02, "scale": 1e-3}


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
    with one_thread():
        tables = _tables(list(range(seeds)), pairs)
    return StudyReport(
        name="registration",
        command=f"stn study registration --seeds {seeds} --pairs {pairs}",
        tables=tables,
        targets=_targets(tables["Files"], tables["B-spline"]),
        notes=[
            "px: mean distance between found and true points over the tissue; °, scale: of the "
            "nearest similarity. Times of one thread, warm.",
            f"Made pairs: {pairs} of each seed, ± standard deviation over {seeds} seeds; found is "
            f"the share within {FOUND_PX:g} px, other figures are medians over the pairs. Of "
            "made B-splines there is one of each seed.",
        ],
        settings={"seeds": list(range(seeds)), "pairs": pairs, "range": vars(MadeRange())},
    )


def _tables(seeds: list[int], pairs: int) -> dict[str, list[Row]]:
    folder = package_files(PACKAGE)
    slice_ = read_slice(folder, FIXED)
    made = MadeRange()
    return {
        "Files": list(rows_of_files(file_cases(folder), file_methods())),
        "B-spline": list(rows_of_files([spline_case(folder)], spline_methods())),
        "Made pairs": list(
            rows_of_made(lambda g: made_case(slice_, made, g), made_methods(), seeds, pairs)
        ),
        "Made B-splines": list(
            rows_of_made(
                lambda g: made_spline_case(slice_, made.noise, g), spline_methods(), seeds, 1
            )
        ),
        "Share found by rotation": list(
            rows_of_range(slice_, range_methods(), TURNS_DEG, seeds, pairs)
        ),
    }


def _targets(files: list[Row], splines: list[Row]) -> list[Target]:
    ours = [row for row in files if row["method"] == OURS]
    spline = next(row for row in splines if row["method"] == OURS_SPLINE)
    return [
        *(
            Target(f"similarities, worst {key}", max(_number(row, key) for row in ours), limit)
            for key, limit in LIMITS.items()
        ),
        Target("B-spline, px", _number(spline, "px"), LIMITS["px"]),
    ]


def _number(row: Row, key: str) -> float:
    value = row[key]
    assert isinstance(value, float)
    return value
