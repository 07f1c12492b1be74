# SPDX-License-Identifier: Apache-2.0
"""Throughput over workers, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stn_perception.benchmarks.report import Cell, number
from stn_perception.training.charts import COLORS, Chart, axis_around, svg


def plot(rows: Sequence[Mapping[str, Cell]]) -> str:
    """One SVG document: what was measured, and one worker's rate times their number."""
    workers = [number(row, "workers") for row in rows]
    rates = [number(row, "frames a second") for row in rows]
    ideal = [rates[0] * count / workers[0] for count in workers]
    chart = Chart(
        axis_around([0, *workers], "workers, each on a core of its own"),
        axis_around([0, *rates, *ideal], "frames a second"),
        "stn evaluate",
    )
    chart.line(list(zip(workers, ideal, strict=True)), COLORS[1], width=1.0)
    chart.line(list(zip(workers, rates, strict=True)), COLORS[0], width=1.5)
    chart.dots(list(zip(workers, rates, strict=True)), COLORS[0])
    chart.legend([("whole command", COLORS[0]), ("in proportion", COLORS[1])])
    return svg([chart])
