# SPDX-License-Identifier: Apache-2.0
"""Errors over the time of each recording, one line per object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.measuring import Measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.bags.report.plots import COLORS, DASHES, Plot, axis, color, label, rounded

Floats = NDArray[np.float64]

MOST_PLOTS = 8
MOST_OBJECTS = len(COLORS)
# A longer line is shown by the medians of this many spans of time.
_POINTS = 300
_GAP_S = 0.5


def time_plots(found: Measured, labels: Sequence[str], name: str) -> tuple[list[Plot], str]:
    """Return a plot per camera of each recording, and a sentence on what is left out.

    The cameras with the most views, and of each the objects with the most views.
    """
    known = np.isfinite(found.values[name])
    places = np.char.add(np.char.add(found.views.bag, "\n"), found.views.camera)
    cameras, counts = np.unique(places[known], return_counts=True)
    chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_PLOTS])
    plots = [
        _plot(found, labels, name, known & (places == cameras[k]), number)
        for number, k in enumerate(chosen.tolist())
    ]
    hidden = len(cameras) - len(chosen)
    return plots, f"{hidden} cameras with fewer views are left out." if hidden else ""


def _plot(
    found: Measured, labels: Sequence[str], name: str, rows: NDArray[np.bool_], number: int
) -> Plot:
    views, metric = found.views, METRICS[name]
    things, counts = np.unique(views.thing[rows], return_counts=True)
    most = np.sort(np.argsort(-counts, kind="stable")[:MOST_OBJECTS]).tolist()
    start_ns = views.stamp_ns[rows].min()
    traces = []
    for place, thing in enumerate(things[most].tolist()):
        for style, model in enumerate(labels):
            of_line = rows & (views.thing == thing) & (views.model == model)
            if not of_line.any():
                continue
            title = thing if len(labels) == 1 else f"{thing}, {model}"
            seconds = (views.stamp_ns[of_line] - start_ns) / 1e9
            values = metric.factor * found.values[name][of_line]
            line = {"color": color(place), "width": 1.5, "dash": DASHES[style % len(DASHES)]}
            traces.append(_trace(title, seconds, values, line, metric.unit))
    bag, camera = (str(column[rows][0]) for column in (views.bag, views.camera))
    note = (
        "" if len(things) <= MOST_OBJECTS else f"{len(things) - MOST_OBJECTS} more are not shown."
    )
    low, high = 0.0, float(np.percentile(metric.factor * found.values[name][rows], 99.5))
    layout = {
        "showlegend": True,
        "xaxis": axis("seconds from the first view"),
        "yaxis": axis(metric.axis, range=rounded([low, 1.08 * high or 1.0])),
    }
    return Plot(f"time-{number}", f"{bag}, {camera}", note, traces, layout, 280, True)


def _trace(
    title: str, seconds: Floats, values: Floats, line: dict[str, Any], unit: str
) -> dict[str, Any]:
    points = list(_broken(*_thinned(seconds, values)))
    many = len(seconds) > _POINTS
    what = "median of %{customdata} views" if many else "%{customdata} view"
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(title),
        "x": rounded([p[0] for p in points]),
        "y": rounded([p[1] for p in points]),
        "customdata": [p[2] for p in points],
        "line": line,
        "hovertemplate": f"%{{x:.2f}} s: %{{y:.3g}} {unit}, {what}<extra>{label(title)}</extra>",
    }


def _thinned(seconds: Floats, values: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Times, medians and counts of at most so many spans of equal length."""
    order = np.argsort(seconds, kind="stable")
    seconds, values = seconds[order], values[order]
    if len(seconds) <= _POINTS:
        return seconds, values, np.ones(len(seconds), dtype=np.int64)
    span = np.ptp(seconds) or 1.0
    bins = np.minimum((seconds - seconds[0]) / span * _POINTS, _POINTS - 1).astype(int)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    parts = np.split(np.arange(len(seconds)), starts[1:])
    times = np.array([seconds[part].mean() for part in parts])
    return (
        times,
        np.array([np.median(values[part]) for part in parts]),
        np.diff([*starts, len(seconds)]),
    )


def _broken(
    seconds: Floats, values: Floats, counts: NDArray[np.int64]
) -> Iterator[tuple[float, float, int]]:
    """The points of a line, with an unknown one in every gap."""
    steps = np.diff(seconds)
    gap = max(_GAP_S, 4 * float(np.median(steps))) if len(steps) else _GAP_S
    for k, point in enumerate(
        zip(seconds.tolist(), values.tolist(), counts.tolist(), strict=True)
    ):
        if k and point[0] - seconds[k - 1] > gap:
            yield float(seconds[k - 1]), float("nan"), 0
        yield point
