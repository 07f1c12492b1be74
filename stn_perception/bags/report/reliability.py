# SPDX-License-Identifier: Apache-2.0
"""Whether the predicted deviation of the corners is the one that happens.

Views are sorted into bins of equal count by the predicted deviation; in each, what was predicted
stands beside what was measured (Levi et al. 2022, Evaluating and Calibrating Uncertainty
Prediction in Regression Tasks, arXiv:1905.11659).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.measuring import Measured
from stn_perception.bags.metrics.per_view import shifted
from stn_perception.bags.metrics.statistics import Interval, statistics
from stn_perception.bags.report.plots import Plot, axis, color, label, rounded
from stn_perception.geometry.quads import corner_errors_px

Floats = NDArray[np.float64]

_BINS = 10
_FEWEST_IN_BIN = 20


@dataclass(frozen=True)
class ReliabilityBin:
    """Views with nearly the same predicted deviation.

    Attributes:
        predicted_px: Root mean square of the predicted deviations of a corner coordinate.
        measured_px: Root mean square of the coordinates' errors.
        interval_px: 95 % interval of the measured one, None with too few clusters.
        views: How many.
    """

    predicted_px: float
    measured_px: float
    interval_px: Interval | None
    views: int


def reliability_bins(found: Measured, model: str) -> list[ReliabilityBin]:
    """Return the bins of a model by rising deviation; none where no deviation has a truth."""
    views = found.views
    _, shifts = corner_errors_px(views.corners, views.truth, views.symmetry)
    errors = views.corners - shifted(views.truth, shifts)
    square = np.square(errors).mean(axis=(1, 2))
    sigma = views.corner_sigma_px
    rows = np.flatnonzero((views.model == model) & np.isfinite(square) & (sigma > 0))
    if not len(rows):
        return []
    rows = rows[np.argsort(sigma[rows], kind="stable")]
    parts = np.array_split(rows, max(1, min(_BINS, len(rows) // _FEWEST_IN_BIN)))
    bins = []
    for part in parts:
        measured = statistics(square[part], found.clusters[part])
        ends = measured.mean_ci95
        bins.append(
            ReliabilityBin(
                float(np.sqrt(np.square(sigma[part]).mean())),
                float(np.sqrt(measured.mean or 0.0)),
                None if ends is None else (float(np.sqrt(ends[0])), float(np.sqrt(ends[1]))),
                len(part),
            )
        )
    return bins


def reliability_plot(found: Measured, labels: Sequence[str]) -> Plot | None:
    """Return predicted against measured deviations; None where there are none."""
    by_model = {one: bins for one in labels if (bins := reliability_bins(found, one))}
    if not by_model:
        return None
    every = [b for bins in by_model.values() for b in bins]
    ends = [v for b in every for v in (b.predicted_px, b.measured_px, *(b.interval_px or ()))]
    positive = [v for v in ends if v > 0] or [1.0]
    low, high = min(positive) / 1.3, max(positive) * 1.3
    diagonal: dict[str, object] = {
        "type": "scatter",
        "mode": "lines",
        "name": "honest",
        "x": rounded([low, high]),
        "y": rounded([low, high]),
        "line": {"color": "#8a94a0", "dash": "dash", "width": 1},
        "hoverinfo": "skip",
    }
    traces: list[dict[str, object]] = [diagonal]
    for place, model in enumerate(labels):
        if model in by_model:
            traces.append(_trace(model, by_model[model], color(place)))
    # Both logarithmic axes run from the same power to the same power.
    powers = rounded(np.log10([low, high]))
    steps = (1, 1.5, 2, 3, 5, 7) if high < 12 * low else (1, 2, 5) if high < 120 * low else (1,)
    ticks = [m * 10.0**e for e in range(-4, 5) for m in steps]
    layout = {
        "showlegend": True,
        "xaxis": axis("predicted deviation, px", type="log", range=powers, tickvals=ticks),
        "yaxis": axis("measured deviation, px", type="log", range=powers, tickvals=ticks),
    }
    note = (
        "Root mean square per corner coordinate, in bins of equal count with 95 % intervals. "
        "Above the dashed line the model is more certain than it should be, below less."
    )
    return Plot("reliability", "What was predicted and what happened", note, traces, layout, 340)


def _trace(model: str, bins: Sequence[ReliabilityBin], shade: str) -> dict[str, object]:
    spans = [b.interval_px or (b.measured_px, b.measured_px) for b in bins]
    up = [high - b.measured_px for (_, high), b in zip(spans, bins, strict=True)]
    down = [b.measured_px - low for (low, _), b in zip(spans, bins, strict=True)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": label(model),
        "x": rounded([b.predicted_px for b in bins]),
        "y": rounded([b.measured_px for b in bins]),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": rounded(up),
            "arrayminus": rounded(down),
            "thickness": 1.5,
            "width": 4,
        },
        "customdata": [b.views for b in bins],
        "line": {"color": shade, "width": 1.5},
        "marker": {"color": shade, "size": 7},
        "hovertemplate": "predicted %{x:.3g} px, measured %{y:.3g} px, %{customdata} views"
        f"<extra>{label(model)}</extra>",
    }
