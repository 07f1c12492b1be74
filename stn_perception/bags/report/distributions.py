# SPDX-License-Identifier: Apache-2.0
"""How the figures of single views are distributed: histograms and shares below a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.measuring import Measured
from stn_perception.bags.metrics.metric_names import METRICS, Metric
from stn_perception.bags.report.plots import Plot, axis, color, label, rounded

Floats = NDArray[np.float64]

_BINS = 60
_STEPS = 240
# Beyond this share of the views, errors may be any size and would shrink the rest.
_SHOWN = 99.0
_FEWEST = 5


def distribution_plots(found: Measured, labels: Sequence[str], names: Sequence[str]) -> list[Plot]:
    """Return the shares of views below each value for the metrics that vary.

    The first of them has a histogram beside it.
    """
    plots: list[Plot] = []
    for name in names:
        values = _by_model(found, labels, name)
        known = np.concatenate([np.empty(0), *values.values()])
        if len(known) >= _FEWEST and np.ptp(known) > 0:
            plots += [] if plots else [_histogram(name, values, known)]
            plots.append(_shares(name, values, known))
    return plots


def _by_model(found: Measured, labels: Sequence[str], name: str) -> dict[str, Floats]:
    """Known values by model, in the metric's unit."""
    values = METRICS[name].factor * found.values[name]
    known = np.isfinite(values)
    return {one: values[known & (found.views.model == one)] for one in labels}


def _range(metric: Metric, known: Floats) -> tuple[float, float]:
    """What a plot shows: errors from 0 to nearly all, qualities from nearly all to the best."""
    if metric.better == "lower":
        return 0.0, float(np.percentile(known, _SHOWN)) or float(known.max())
    low = float(np.percentile(known, 100 - _SHOWN))
    return (low, float(known.max())) if low < known.max() else (float(known.min()), low)


def _histogram(name: str, values: Mapping[str, Floats], known: Floats) -> Plot:
    metric = METRICS[name]
    low, high = _range(metric, known)
    edges = np.linspace(low, high, _BINS + 1)
    traces = []
    for place, (model, of_model) in enumerate(values.items()):
        counts = np.histogram(of_model, edges)[0]
        spans = [f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges)]
        traces.append(
            {
                "type": "bar",
                "name": label(model),
                "x": rounded((edges[1:] + edges[:-1]) / 2),
                "y": rounded(100 * counts / max(1, len(of_model))),
                "customdata": [[s, int(n)] for s, n in zip(spans, counts, strict=True)],
                "hovertemplate": f"%{{customdata[0]}} {metric.unit}: %{{customdata[1]}} views, "
                f"%{{y:.3g}} %<extra>{label(model)}</extra>",
                "marker": {"color": color(place)},
                "opacity": 0.6 if len(values) > 1 else 0.9,
            }
        )
    beyond = int(((known < low) | (known > high)).sum())
    note = f"{beyond} of {len(known)} views lie beyond the ends." if beyond else ""
    layout = {
        "barmode": "overlay",
        "showlegend": len(values) > 1,
        "xaxis": axis(metric.axis, range=rounded([low, high])),
        "yaxis": axis("share of the views, %"),
    }
    return Plot(f"histogram-{name}", _capital(metric.title), note, traces, layout)


def _shares(name: str, values: Mapping[str, Floats], known: Floats) -> Plot:
    metric = METRICS[name]
    traces = []
    for place, (model, of_model) in enumerate(values.items()):
        if not len(of_model):
            continue
        steps = min(_STEPS, len(of_model))
        at = np.unique(np.rint(np.linspace(0, len(of_model) - 1, steps)).astype(int))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label(model),
                "x": rounded(np.sort(of_model)[at]),
                "y": rounded(100 * (at + 1) / len(of_model)),
                "line": {"color": color(place), "shape": "hv", "width": 2},
                "hovertemplate": f"%{{y:.1f}} % of the views up to %{{x:.3g}} {metric.unit}"
                f"<extra>{label(model)}</extra>",
            }
        )
    layout = {
        "showlegend": len(values) > 1,
        "xaxis": axis(metric.axis, range=rounded(_range(metric, known))),
        "yaxis": axis("share of the views up to here, %", range=[0, 101]),
    }
    title = f"{_capital(metric.title)}, added up"
    return Plot(f"shares-{name}", title, "", traces, layout)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
