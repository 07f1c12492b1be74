# SPDX-License-Identifier: Apache-2.0
"""Score an archive: held-out generated scenes by seed, and labelled photographs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.measuring import Errors, measure_archive, measure_classical
from stn_perception.training.photographs import read_photographs
from stn_perception.training.pool import scene
from stn_perception.training.refinement_gain import steps_that_pay
from stn_perception.training.reliability import reliability
from stn_perception.training.scenes import LabelledSample, QuadSceneSettings

# Larger objects than in training: the crop is what the network sees, whatever the frame's size.
SCORED_SCENES = QuadSceneSettings(max_side_px=200.0)
_RESAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return value and interval, rounded to four places."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


def bootstrap(
    values: NDArray[np.float64],
    statistic: Callable[..., Any],
    seed: int,
) -> Interval:
    """Return a statistic of a sample with its 95 % percentile bootstrap interval.

    Args:
        values: N.
        statistic: maps an array and ``axis=1`` to one figure per row (``np.mean``, …).
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    figures: list[NDArray[np.float64]] = []
    for _ in range(0, _RESAMPLES, 100):
        picked = values[rng.integers(0, len(values), (100, len(values)))]
        figures.append(np.asarray(statistic(picked, axis=1)))
    low, high = np.percentile(np.concatenate(figures), [2.5, 97.5])
    return Interval(float(statistic(values[None], axis=1)[0]), float(low), float(high))


def _p95(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return np.asarray(np.percentile(values, 95, axis=axis))


def summarize(data: str, method: str, errors: Errors, seed: int) -> dict[str, Any]:
    """Return one row of the table."""
    row: dict[str, Any] = {
        "data": data,
        "method": method,
        "samples": len(errors.crop_px),
        "refused": errors.refused,
        "mean_px": bootstrap(errors.crop_px, np.mean, seed).as_dict(),
        "median_px": bootstrap(errors.crop_px, np.median, seed).as_dict(),
        "p95_px": bootstrap(errors.crop_px, _p95, seed).as_dict(),
        "median_percent_of_side": bootstrap(errors.side_percent, np.median, seed).as_dict(),
        "share_under_5_percent": round(float((errors.side_percent < 5).mean()), 4),
    }
    if errors.in_sigmas.size:
        inside = (errors.in_sigmas < 1).mean(axis=1)
        row["within_1_sigma"] = bootstrap(inside, np.mean, seed).as_dict()
    return row


def _measure(
    archive: ModelArchive,
    data: str,
    samples: Sequence[LabelledSample],
    seed: int,
    result: dict[str, Any],
) -> None:
    """Add one data set to the result: rows, reliability and the steps that pay."""
    card = archive.card
    counts = range(max(3, card.refinement_steps) + 1)
    by_steps = {steps: measure_archive(archive, samples, steps) for steps in counts}
    for steps, errors in by_steps.items():
        method = f"{card.name}, {steps} refinement steps"
        row = summarize(data, method, errors, seed) | {"refinement_steps": steps}
        result["rows"].append(row)
    classical = measure_classical(samples, card.box_margin)
    result["rows"].append(summarize(data, "contour quad, else minAreaRect", classical, seed))
    crop_px = {steps: errors.crop_px for steps, errors in by_steps.items()}
    result["refinement"].append(steps_that_pay(crop_px, data, "px", seed))
    shipped = by_steps[card.refinement_steps]
    if len(shipped.sigma_px) >= 2:
        error_px = shipped.in_sigmas * shipped.sigma_px
        found = reliability(shipped.sigma_px, error_px, data, "px of a 128 px crop", seed)
        result["reliability"].append(found)


# Stands above the table on the model's page.
NOTE = (
    "Corner errors, the smallest over the turns that cannot be told apart, in pixels of a 128 px "
    "crop of the given box with its margin, and in percent of the object's mean side; 95 % "
    "bootstrap intervals in brackets. The last column is the share of corner coordinates within "
    "one predicted standard deviation. Rows other than the generated scenes are labelled "
    "photographs; training never sees them, but what kinds of scenes are drawn was adjusted after "
    "looking at them."
)


def score_planar(
    archive: ModelArchive, samples: int, seed: int, data: Path | None = None
) -> dict[str, Any]:
    """Score an archive of quadrilaterals.

    Args:
        archive: the opened archive.
        samples: how many held-out scenes to generate.
        seed: of the scenes, the boxes' errors and the bootstrap; scoring seeds share no scene
            with the ones that training watches.
        data: folder with labelled photographs (see ``read_photographs``), or none.

    Returns:
        ``model``, ``version``, ``weights_sha256``, ``seed``, ``note``, ``seconds_per_sample`` of
        the whole scoring, and ``rows``: errors in pixels of a 128 px crop and in percent of the
        object's side for each number of refinement steps and for the contour baseline, with 95 %
        bootstrap intervals, and the share of corner coordinates within one predicted standard
        deviation; per data set ``refinement`` (``steps_that_pay``) and, where the network
        predicts variances, ``reliability``.

    Raises:
        PhotographError: the folder has no labelled photographs.
    """
    started = time.perf_counter()
    scenes = [scene(seed, i, SCORED_SCENES, held_out=True) for i in range(samples)]
    result: dict[str, Any] = {"rows": [], "refinement": [], "reliability": []}
    _measure(archive, "held-out scenes", scenes, seed, result)
    if data is not None:
        rng = np.random.default_rng([seed, 2])
        found = read_photographs(data, rng, SCORED_SCENES.box_jitter)
        for name, pictures in found.items():
            if len(pictures) >= 2:
                _measure(archive, name, pictures, seed, result)
    return {
        "model": archive.card.name,
        "version": archive.card.version,
        "weights_sha256": archive.card.weights_sha256,
        "seed": seed,
        "note": NOTE,
        "seconds_per_sample": round((time.perf_counter() - started) / samples, 5),
    } | result
