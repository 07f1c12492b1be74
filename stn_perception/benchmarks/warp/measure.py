# SPDX-License-Identifier: Apache-2.0
"""Times of the warp cases, and the targets that they are held to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from stn_perception.benchmarks.report import BenchReport, Cell
from stn_perception.benchmarks.threads import use_threads
from stn_perception.benchmarks.timing import Timing, interleaved, ratio
from stn_perception.benchmarks.warp.cases import WarpCase, warp_cases
from stn_perception.benchmarks.warp.contenders import (
    OPENCV,
    OURS,
    OURS_AVERAGED,
    TENSORS,
    TORCH_FLOATS,
    contenders,
    ours,
)
from stn_perception.runtime.report_parts import Target

# How much longer than OpenCV's bare loop we may take where both do the same.
_TIMES_OF_OPENCV = 1.15
# Levels by which a peer's view may differ on smooth pictures and still be the same job.
_SAME_LEVELS = 3


def measure(names: tuple[str, ...] | None, rounds: int, threads: int, backend: str) -> BenchReport:
    """Time every contender on the cases.

    Args:
        names: Cases; None for all.
        rounds: Figures for each contender.
        threads: CPU threads of torch, OpenCV and ours; 0 for one a core.
        backend: Ours, by name.

    Raises:
        ValueError: There is no such case or back end, or a contender gives other views.
    """
    threads = use_threads(threads)
    rows: list[Mapping[str, Cell]] = []
    targets: list[Target] = []
    for case in warp_cases(names):
        everyone = contenders(case, backend)
        _check_same_job(case, everyone_views(everyone))
        with torch.inference_mode():
            times = interleaved(everyone, rounds)
        rows.append(_row(case, times))
        targets += _targets(case, times)
    return BenchReport(
        name="warp",
        command="stn bench warp",
        rows=rows,
        targets=targets,
        notes=[
            "Ratios: a peer's time over ours (antialiasing off, as theirs), median of the rounds; "
            "above 1 we are faster. Everyone goes from uint8 frames to uint8 views, but for "
            f"'{TORCH_FLOATS}', which is given floats and leaves floats.",
            "1080p-8: one 1920×1080 frame, eight views of 224²; 4k-1: one 3840×2160 frame, one "
            "view of 224² from twice its size; crops-64: 64 crops of 224² to 224²; crops-256: "
            "256 crops of 28² to 28².",
        ],
        settings={"rounds": rounds, "threads": threads, "backend": backend},
    )


def everyone_views(everyone: Mapping[str, object]) -> dict[str, np.ndarray]:
    """What each contender that gives uint8 gives."""
    return {
        name: np.asarray(call())  # type: ignore[operator]
        for name, call in everyone.items()
        if name not in (OURS_AVERAGED, TORCH_FLOATS)
    }


def _check_same_job(case: WarpCase, views: Mapping[str, np.ndarray]) -> None:
    expected = np.asarray(ours(case, "reference", antialias=False)()).astype(int)
    # Kornia takes pixels from beyond a crop's edge its own way: judge where all have a picture.
    inside = np.s_[:, 2:-2, 2:-2]
    for name, found in views.items():
        off = float(np.abs(found.astype(int) - expected)[inside].mean())
        if off > _SAME_LEVELS:
            raise ValueError(
                f"{name} is off by {off:.2f} levels on {case.name}, expected the same"
            )


def _row(case: WarpCase, times: Mapping[str, Timing]) -> dict[str, Cell]:
    row: dict[str, Cell] = {"case": case.name}
    for name in (OPENCV, *TENSORS, TORCH_FLOATS):
        row[f"{name} / ours"] = ratio(times[name], times[OURS]).median
    row["antialiased / plain"] = ratio(times[OURS_AVERAGED], times[OURS]).median
    return row | {f"{name} ms": timing.median_ms for name, timing in times.items()}


def _targets(case: WarpCase, times: Mapping[str, Timing]) -> list[Target]:
    tensors = min(ratio(times[name], times[OURS]).median for name in TENSORS)
    return [
        Target(
            f"{case.name}: the faster of torch and kornia / ours",
            tensors,
            case.times_of_tensors,
            at_least=True,
        ),
        Target(
            f"{case.name}: ours / OpenCV loop",
            ratio(times[OURS], times[OPENCV]).median,
            _TIMES_OF_OPENCV,
            at_least=False,
        ),
    ]
