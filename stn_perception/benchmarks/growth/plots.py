# SPDX-License-Identifier: Apache-2.0
"""The costs and the lines fitted to them, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stn_perception.benchmarks.growth.measure import OBJECTS, PARTS, PIXELS, lines, points
from stn_perception.benchmarks.report import Cell
from stn_perception.training.charts import COLORS, Chart, axis_around, svg

_TITLES = {
    OBJECTS: ("Cost over objects (VGA)", "objects in the frame"),
    PIXELS: ("Cost over frame size (4 objects)", "megapixels of the frame"),
}


def plots(rows: Sequence[Mapping[str, Cell]]) -> str:
    """One SVG document: dots are measured, lines are fixed + marginal cost."""
    return svg([_chart(rows, over) for over in (OBJECTS, PIXELS)])


def _chart(rows: Sequence[Mapping[str, Cell]], over: str) -> Chart:
    title, label = _TITLES[over]
    units, costs = points(rows, over)
    every = [cost for part in PARTS for cost in costs[part]]
    chart = Chart(
        axis_around(units, label, log=True),
        axis_around([*every, 3 * max(every)], "milliseconds a frame", log=True),
        title,
    )
    fitted = lines(rows, over)
    legend = []
    low, high = min(units), max(units)
    steps = [low * (high / low) ** (step / 40) for step in range(41)]
    for part, color in zip(PARTS, COLORS, strict=False):
        line = fitted[part]
        chart.dots(list(zip(units, costs[part], strict=True)), color)
        chart.line([(unit, line.at(unit)) for unit in steps], color, width=1.5)
        legend.append((f"{part}: {line.fixed_ms:.2f} + {line.marginal_ms:.3f} each", color))
    chart.legend(legend)
    return chart
