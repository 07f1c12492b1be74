# SPDX-License-Identifier: Apache-2.0
"""Tables and tiles of the report as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stn_perception.bags.metrics.groups import Grouping
from stn_perception.bags.metrics.metric_names import METRICS, Metric
from stn_perception.bags.metrics.statistics import Interval, Statistics
from stn_perception.bags.report.plots import text

_UNKNOWN = "–"


def tiles(entries: Iterable[tuple[str, str]]) -> str:
    """Return a row of tiles: a value and what it is."""
    boxes = "".join(
        f'<div class="tile"><b>{text(value)}</b><span>{text(name)}</span></div>'
        for value, name in entries
    )
    return f'<div class="tiles">{boxes}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table of text; all but the first columns are numbers.

    Args:
        head: Titles of the columns.
        rows: Cells.
        words: How many columns are no numbers.
    """
    kinds = ["" if place < words else ' class="number"' for place in range(len(head))]
    titles = "".join(f"<th{k}>{text(h)}</th>" for k, h in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{k}>{text(cell)}</td>" for k, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide-table"><table class="numbers"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def metric_table(of_model: Mapping[str, Mapping[str, Statistics]]) -> str:
    """Return the metrics with samples, the models' rows of one metric below each other."""
    several = len(of_model) > 1
    rows = []
    for name, metric in METRICS.items():
        for label, found in of_model.items():
            if found[name].n:
                first = [metric.title, label] if several else [metric.title]
                rows.append([*first, *_cells(metric, found[name])])
    head = ["metric", *(["model"] if several else [])]
    numbers = ["median", "95 % interval", "mean", "95th percentile", "samples", "clusters"]
    return table([*head, *numbers], rows, words=len(head))


def group_table(grouping: Grouping, name: str) -> str:
    """Return one metric of each group."""
    several = len(grouping.of_model) > 1
    metric = METRICS[name]
    rows = []
    for of_models in zip(*grouping.of_model.values(), strict=True):
        for label, group in zip(grouping.of_model, of_models, strict=True):
            if group.metrics[name].n:
                first = [group.name, label] if several else [group.name]
                rows.append([*first, *_cells(metric, group.metrics[name])])
    head = [grouping.title, *(["model"] if several else [])]
    numbers = ["median", "95 % interval", "mean", "95th percentile", "samples", "clusters"]
    return table([*head, *numbers], rows, words=len(head))


def interval_text(metric: Metric, interval: Interval | None) -> str:
    """Return both ends of an interval with their unit."""
    if interval is None:
        return _UNKNOWN
    low, high = (metric.text(end) for end in interval)
    unit = f" {metric.unit}" if metric.unit not in ("", "°") else metric.unit
    return f"{low.removesuffix(unit)} to {high}"


def _cells(metric: Metric, found: Statistics) -> list[str]:
    if found.median is None or found.mean is None or found.p95 is None:
        return [_UNKNOWN] * 6
    counts = [str(found.n), str(found.clusters)]
    interval = interval_text(metric, found.ci95)
    if found.is_share:  # of yes and no the mean is what counts
        return [_UNKNOWN, interval, metric.text(found.mean), _UNKNOWN, *counts]
    return [
        metric.text(found.median),
        interval,
        metric.text(found.mean),
        metric.text(found.p95),
        *counts,
    ]
