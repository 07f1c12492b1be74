# SPDX-License-Identifier: Apache-2.0
"""The page's charts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.charts import COLORS, INK, SOFT, Axis, Chart, axis_around
from stn_perception.training.explain.observing import Observation
from stn_perception.training.explain.sensitivity import spearman
from stn_perception.training.explain.summary import Pairs

Array = NDArray[np.float64]
_WIDTH, _HEIGHT = 360, 300


def pair_chart(pairs: Pairs) -> Chart:
    """Prediction over truth, on the diagonal where it is right."""
    true, predicted = pairs.true.ravel(), pairs.predicted.ravel()
    # A few escaped predictions must not shrink all others to a dot.
    low, high = np.percentile(true, [0, 100])
    reach = [*true, *predicted[(predicted > 2 * low - high) & (predicted < 2 * high - low)]]
    around = axis_around(reach, "", pairs.logarithmic)
    kind = pairs.logarithmic
    title = f"{pairs.name}: R² = {pairs.r_squared:.4f}"
    chart = Chart(
        Axis("true", around.low, around.high, kind),
        Axis("predicted", around.low, around.high, kind),
        title,
        _WIDTH,
        _HEIGHT,
    )
    chart.line([(around.low, around.low), (around.high, around.high)], SOFT, 1, "5 4")
    if pairs.true.ndim == 1:
        chart.dots(_points(true, predicted), COLORS[0], 2, 0.5)
    else:
        for axis in range(2):
            points = _points(pairs.true[:, axis::2].ravel(), pairs.predicted[:, axis::2].ravel())
            chart.dots(points, COLORS[axis], 2, 0.4)
        chart.legend([("x", COLORS[0]), ("y", COLORS[1])])
    return chart


def driver_chart(name: str, values: Array, errors: Array, has_truth: bool) -> Chart | None:
    """Errors over what may cause them, with medians in bins of equal count."""
    both = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    if both.sum() < 5 or np.ptp(values[both]) == 0:
        return None
    x, y = values[both], 100 * errors[both]
    what = "corner error" if has_truth else "predicted deviation"
    chart = Chart(
        axis_around(list(x), name, log=_spans_scales(name, x)),
        axis_around(list(y), f"{what}, % of the side", log=True),
        f"rank correlation {spearman(x, y):+.2f}",
        _WIDTH,
        _HEIGHT,
    )
    chart.dots(_points(x, y), COLORS[0], 2, 0.45)
    bins = np.array_split(np.argsort(x), max(2, min(10, len(x) // 15)))
    medians = [(float(np.median(x[b])), float(np.median(y[b]))) for b in bins]
    chart.line(medians, INK, 1.5)
    chart.dots(medians, INK, 3.5)
    return chart


def _spans_scales(name: str, values: Array) -> bool:
    """Whether a logarithmic axis tells more; an angle's never does."""
    return bool("°" not in name and values.min() > 0 and values.max() > 6 * values.min())


def prediction_chart(views: Sequence[Observation]) -> Chart | None:
    """What is predicted where no truth is known: angle and scale."""
    shapes = [o.shape for o in views if o.shape is not None]
    if not shapes:
        return None
    chart = Chart(
        Axis("predicted angle, °", -180, 180),
        axis_around([s.scale for s in shapes], "predicted scale, of the box"),
        "What is predicted",
        _WIDTH,
        _HEIGHT,
    )
    chart.dots([(s.angle_deg, s.scale) for s in shapes], COLORS[0], 2, 0.5)
    return chart


def _points(x: Array, y: Array) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
