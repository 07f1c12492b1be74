# SPDX-License-Identifier: Apache-2.0
"""Whether predicted standard deviations mean what they say: a reliability diagram in numbers.

Predictions are sorted into bins of equal count by their predicted standard deviation; in each,
what was predicted stands beside what was measured (Levi et al. 2022, Evaluating and Calibrating
Uncertainty Prediction in Regression Tasks, arXiv:1905.11659). The shares of errors within k
standard deviations stand beside the normal law's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.charts import COLORS, SOFT, Axis, Chart, axis_around, svg

WITHIN = (0.5, 1.0, 1.5, 2.0, 3.0)
_ONE_SIGMA = math.erf(1 / math.sqrt(2))
_RESAMPLES = 400

Array = NDArray[np.float64]


def normal_share(sigmas: float) -> float:
    """Return the share of a normal distribution within so many standard deviations."""
    return math.erf(sigmas / math.sqrt(2))


def reliability(
    sigma: Array, error: Array, data: str, unit: str, seed: int, bins: int = 10
) -> dict[str, Any]:
    """Compare predicted standard deviations with the errors that happened.

    Args:
        sigma: predicted standard deviations, N (one figure a sample) or N×K (K coordinates, as
            8 of four corners), above 0.
        error: errors of the same shape; signs do not matter.
        data: name of the data, for the diagram.
        unit: of both arrays, for the diagram (``px of a 128 px crop``, ``°``).
        seed: of the bootstrap, which draws whole samples: a sample's K errors belong together.
        bins: how many, of equal count; fewer where there are fewer than 10 samples for each.

    Returns:
        ``data``, ``unit``, ``samples``; ``bins``: a list, by rising deviation, of ``predicted``
        (root mean square), ``measured`` (the error that 68.27 % stay within, with its 95 %
        interval ``low``, ``high``), ``rms`` of the errors, ``within_1_sigma`` and ``count``;
        ``within``: a list of ``sigmas``, ``share`` (``value``, ``low``, ``high``) and the
        normal law's ``expected``; ``calibration_error``: the mean over bins of
        |measured - predicted| / predicted.

    Raises:
        ValueError: shapes differ, values are not finite, a deviation is not above 0, or there
            are fewer than two samples.
    """
    sigma, error = _checked(sigma, error)
    count, columns = sigma.shape
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), _RESAMPLES)
    flat_sigma, flat_error = sigma.ravel(), error.ravel()
    owner = np.repeat(np.arange(count), columns)
    order = np.argsort(flat_sigma, kind="stable")
    parts = np.array_split(order, max(1, min(bins, count // 10)))
    rows = [_bin(flat_sigma[p], flat_error[p], drawn[:, owner[p]]) for p in parts]
    gaps = [abs(row["measured"] - row["predicted"]) / row["predicted"] for row in rows]
    return {
        "data": data,
        "unit": unit,
        "samples": count,
        "bins": rows,
        "within": [_within(error / sigma, k, drawn) for k in WITHIN],
        "calibration_error": round(float(np.mean(gaps)), 4),
    }


def _checked(sigma: Array, error: Array) -> tuple[Array, Array]:
    sigma, error = np.asarray(sigma, dtype=np.float64), np.asarray(error, dtype=np.float64)
    if sigma.shape != error.shape or sigma.ndim not in (1, 2):
        raise ValueError(
            f"the deviations have shape {sigma.shape} and the errors {error.shape}, expected the "
            "same N or N×K"
        )
    if len(sigma) < 2:
        raise ValueError(f"there are {len(sigma)} samples, expected at least 2")
    if not (np.isfinite(sigma).all() and np.isfinite(error).all() and (sigma > 0).all()):
        raise ValueError("expected finite errors and finite deviations above 0")
    return sigma.reshape(len(sigma), -1), np.abs(error).reshape(len(sigma), -1)


def _bin(sigma: Array, error: Array, drawn: NDArray[np.int64]) -> dict[str, float]:
    """Figures of one bin; ``drawn`` says how often each value is in each resample."""
    order = np.argsort(error)
    reached = np.cumsum(drawn[:, order], axis=1)
    filled = reached[:, -1] > 0
    reached = reached[filled]
    places = (reached >= _ONE_SIGMA * reached[:, -1:]).argmax(axis=1)
    low, high = np.percentile(error[order][places], [2.5, 97.5])
    figures = {
        "predicted": np.sqrt(np.square(sigma).mean()),
        "measured": np.quantile(error, _ONE_SIGMA),
        "low": low,
        "high": high,
        "rms": np.sqrt(np.square(error).mean()),
        "within_1_sigma": (error < sigma).mean(),
    }
    # Five digits of what may be metres, radians or pixels.
    return {k: float(f"{v:.5g}") for k, v in figures.items()} | {"count": len(sigma)}


def _within(in_sigmas: Array, k: float, drawn: NDArray[np.int64]) -> dict[str, Any]:
    inside = (in_sigmas < k).mean(axis=1)
    resampled = drawn @ inside / len(inside)
    low, high = np.percentile(resampled, [2.5, 97.5])
    share = {"value": float(inside.mean()), "low": float(low), "high": float(high)}
    return {
        "sigmas": k,
        "share": {name: round(value, 4) for name, value in share.items()},
        "expected": round(normal_share(k), 4),
    }


def reliability_svg(diagrams: Sequence[Mapping[str, Any]]) -> str:
    """Draw results of ``reliability`` that share a unit: one colour per data set.

    Left, predicted against measured deviations with 95 % intervals on the diagonal that honest
    ones lie on; right, the shares within k deviations on the normal law's curve.

    Raises:
        ValueError: there is none.
    """
    if not diagrams:
        raise ValueError("there is no reliability to draw, expected at least one data set")
    return svg([_deviations(diagrams), _shares(diagrams)])


def _deviations(diagrams: Sequence[Mapping[str, Any]]) -> Chart:
    rows = [row for diagram in diagrams for row in diagram["bins"]]
    values = [row[key] for row in rows for key in ("predicted", "measured", "low", "high")]
    around = axis_around(values, "", log=True)
    unit = diagrams[0]["unit"]
    chart = Chart(
        Axis(f"predicted standard deviation, {unit}", around.low, around.high, log=True),
        Axis("68 % of the errors are below", around.low, around.high, log=True),
        "What was predicted and what happened",
    )
    chart.line([(around.low, around.low), (around.high, around.high)], SOFT, 1, "5 4")
    for color, diagram in zip(_colors(diagrams), diagrams, strict=True):
        bins = diagram["bins"]
        chart.spans([(b["predicted"], b["low"], b["high"]) for b in bins], color)
        points = [(b["predicted"], b["measured"]) for b in bins]
        chart.line(points, color, 1)
        chart.dots(points, color)
    names = [f"{d['data']} (n = {d['samples']})" for d in diagrams]
    chart.legend(list(zip(names, _colors(diagrams), strict=True)))
    return chart


def _shares(diagrams: Sequence[Mapping[str, Any]]) -> Chart:
    chart = Chart(
        Axis("standard deviations", 0, max(WITHIN) + 0.2),
        Axis("share of the errors within, %", 0, 100),
        "Shares, and the normal law (dashed)",
    )
    grid = np.linspace(0, max(WITHIN), 40)
    chart.line([(float(k), 100 * normal_share(float(k))) for k in grid], SOFT, 1, "5 4")
    for color, diagram in zip(_colors(diagrams), diagrams, strict=True):
        shares = [(w["sigmas"], w["share"]) for w in diagram["within"]]
        chart.spans([(k, 100 * s["low"], 100 * s["high"]) for k, s in shares], color)
        chart.dots([(k, 100 * s["value"]) for k, s in shares], color)
    return chart


def _colors(diagrams: Sequence[Mapping[str, Any]]) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(len(diagrams))]
