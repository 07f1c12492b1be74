# SPDX-License-Identifier: Apache-2.0
"""Errors over the time of each recording, one line per object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.measuring import Measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.bags.page_style import PLOT_COLORS
from stn_perception.bags.report.plots import Plot, axis, color, label, rounded

Floats = NDArray[np.float64]

MOST_PLOTS = 8
MOST_OBJECTS = len(PLOT_COLORS)
# A longer line is shown by the medians of this many spans of time.
_POINTS = 300
_GAP_S = 0.5
# Models whose errors differ by more than this factor have axes of their own.
_ALIKE = 4.0


def time_plots(
    found: Measured, labels: Sequence[str], name: str, bags: Mapping[str, str]
) -> tuple[list[Plot], str]:
    """Return a plot per camera of each recording and model, and a sentence on what is left out.

    The cameras with the most views, and of each the objects with the most views.

    Args:
        found: All views.
        labels: Of the models.
        name: Of the metric.
        bags: What recordings are called.
    """
    known = np.isfinite(found.values[name])
    places = np.char.add(np.char.add(found.views.bag, "\n"), found.views.camera)
    cameras, counts = np.unique(places[known], return_counts=True)
    most = max(1, MOST_PLOTS // max(1, len(labels)))
    chosen = np.sort(np.argsort(-counts, kind="stable")[:most]).tolist()
    plots = []
    for k in chosen:
        camera = _Camera(found, name, known & (places == cameras[k]), bags)
        plots += [camera.plot(label, f"time-{k}-{n}") for n, label in enumerate(labels)]
    hidden = len(cameras) - len(chosen)
    return plots, f"{hidden} cameras with fewer views are left out." if hidden else ""


class _Camera:
    """What the models' plots of one camera share: objects, colours, axes.

    Args:
        found: All views.
        name: Of the metric.
        rows: N, the views of this camera that have it.
        bags: What recordings are called.
    """

    def __init__(
        self, found: Measured, name: str, rows: NDArray[np.bool_], bags: Mapping[str, str]
    ) -> None:
        self._views, self._rows, self._metric = found.views, rows, METRICS[name]
        self._values = self._metric.factor * found.values[name]
        things, counts = np.unique(self._views.thing[rows], return_counts=True)
        most = np.sort(np.argsort(-counts, kind="stable")[:MOST_OBJECTS])
        self._things: list[str] = things[most].tolist()
        self._hidden = len(things) - len(most)
        self._start_ns = self._views.stamp_ns[rows].min()
        bag, camera = (str(column[rows][0]) for column in (self._views.bag, self._views.camera))
        self._title = f"{bags.get(bag, bag)}, {camera}"

    def plot(self, model: str, name: str) -> Plot:
        """Return the plot of one model."""
        views, traces = self._views, []
        for place, thing in enumerate(self._things):
            line = self._rows & (views.thing == thing) & (views.model == model)
            if line.any():
                seconds = (views.stamp_ns[line] - self._start_ns) / 1e9
                style = {"color": color(place), "width": 1.5}
                traces.append(_trace(thing, seconds, self._values[line], style, self._metric.unit))
        layout = {
            "showlegend": True,
            "xaxis": axis("seconds from the first view"),
            "yaxis": axis(self._metric.axis, range=rounded([0, self._top(model)])),
        }
        note = f"{self._hidden} more objects are not shown." if self._hidden else ""
        return Plot(name, f"{self._title}, {model}", note, traces, layout, 280, True)

    def _top(self, model: str) -> float:
        """The upper end of the axis: the same for all models that are not worlds apart."""
        of_model = self._rows & (self._views.model == model)
        every, own = (
            1.08 * float(np.percentile(self._values[rows], 99.5)) if rows.any() else 0.0
            for rows in (self._rows, of_model)
        )
        return (every if every < _ALIKE * own else own) or 1.0


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
