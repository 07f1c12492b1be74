# SPDX-License-Identifier: Apache-2.0
"""Medians with intervals per object, class, camera, recording and condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stn_perception.bags.metrics.groups import Group, Grouping
from stn_perception.bags.metrics.metric_names import METRICS, Metric
from stn_perception.bags.report.plots import Plot, axis, color, label, rounded


def group_plots(groupings: Mapping[str, Grouping], name: str, prefix: str) -> list[Plot]:
    """Return a plot of a metric for each grouping with more than one group that knows it."""
    plots = []
    for kind, grouping in groupings.items():
        known = [g for groups in grouping.of_model.values() for g in groups if g.metrics[name].n]
        if len({group.name for group in known}) > 1:
            plots.append(_plot(f"{prefix}-{kind}", grouping, name))
    return plots


def _plot(plot_name: str, grouping: Grouping, name: str) -> Plot:
    metric = METRICS[name]
    several = len(grouping.of_model) > 1
    traces: list[dict[str, Any]] = []
    names: list[str] = []
    for place, (model, groups) in enumerate(grouping.of_model.items()):
        known = [group for group in groups if group.metrics[name].n]
        names += [group.name for group in known if group.name not in names]
        traces += _traces(metric, name, known, color(place), model if several else "")
    order = [group.name for group in next(iter(grouping.of_model.values()), ())]
    note = f"{grouping.left_out} smaller ones are not shown." if grouping.left_out else ""
    layout = {
        "showlegend": True,
        "scattermode": "group",
        "scattergap": 0.6,
        "xaxis": axis(
            grouping.title,
            type="category",
            categoryorder="array",
            categoryarray=[label(one) for one in order if one in names],
        ),
        "yaxis": axis(metric.axis, rangemode="tozero" if metric.better == "lower" else "normal"),
    }
    title = f"By {grouping.title}"
    return Plot(plot_name, title, note, traces, layout, 320, is_wide=len(names) > 8)


def _traces(
    metric: Metric, name: str, groups: Sequence[Group], shade: str, model: str
) -> list[dict[str, Any]]:
    found = [group.metrics[name] for group in groups]
    factor = metric.factor
    medians = [factor * (f.median or 0.0) for f in found]
    ends = [f.median_ci95 or (f.median or 0.0, f.median or 0.0) for f in found]
    up = [factor * high - m for (_, high), m in zip(ends, medians, strict=True)]
    down = [m - factor * low for (low, _), m in zip(ends, medians, strict=True)]
    x = [label(group.name) for group in groups]
    counted = [[f.n, f.clusters] for f in found]
    extra = f"<extra>{label(model)}</extra>"
    unit = metric.unit
    sample = "%{customdata[0]} views in %{customdata[1]} clusters"
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(f"{model} median" if model else "median, 95 % interval"),
            "offsetgroup": model,
            "x": x,
            "y": rounded(medians),
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": rounded(up),
                "arrayminus": rounded(down),
                "thickness": 1.5,
                "width": 4,
                "color": shade,
            },
            "customdata": counted,
            "marker": {"color": shade, "size": 9},
            "hovertemplate": f"%{{x}}: median %{{y:.3g}} {unit}<br>{sample}{extra}",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": label(f"{model} 95th percentile" if model else "95th percentile"),
            "offsetgroup": model,
            "x": x,
            "y": rounded([factor * (f.p95 or 0.0) for f in found]),
            "customdata": counted,
            "marker": {"color": shade, "size": 8, "symbol": "triangle-up-open"},
            "hovertemplate": f"%{{x}}: 95th percentile %{{y:.3g}} {unit}<br>{sample}{extra}",
        },
    ]
