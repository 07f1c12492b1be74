# SPDX-License-Identifier: Apache-2.0
"""What the page's plots have in common: axes, colours, and their place in the page.

A plot is a plotly.js figure written as plain data. Colours of texts and lines come from the
style sheet, so that they follow dark mode and print.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stn_perception.bags.page_style import PLOT_COLORS


@dataclass(frozen=True)
class Plot:
    """One plot of the page.

    Attributes:
        name: Of its element, unique in the page.
        title: Stands above.
        note: What it shows, a sentence or two.
        traces: plotly.js traces.
        layout: What differs from the common layout.
        height_px: Of the drawing.
        is_wide: Whether it takes the page's whole width.
    """

    name: str
    title: str
    note: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any] = field(default_factory=dict)
    height_px: int = 300
    is_wide: bool = False

    def element(self) -> str:
        """Return the HTML that the plot is drawn into."""
        wide = " whole" if self.is_wide else ""
        return (
            f'<figure class="card chart{wide}"><figcaption><b>{text(self.title)}</b> '
            f'{text(self.note)}</figcaption><div class="plot" id="plot-{self.name}" '
            f'style="height:{self.height_px}px"></div></figure>'
        )


def side_by_side(plots: Sequence[Plot]) -> str:
    """Return plots two in a row; wide ones take a row."""
    return f'<div class="charts">{"".join(plot.element() for plot in plots)}</div>'


def plot_data(plots: Iterable[Plot]) -> str:
    """Return the plots' data as JSON that may stand in a script element."""
    content: dict[str, Any] = {
        f"plot-{plot.name}": {"data": list(plot.traces), "layout": _LAYOUT | dict(plot.layout)}
        for plot in plots
    }
    return json.dumps(content, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return an axis with a title."""
    return {"title": {"text": label(title), "standoff": 8}, "automargin": True, **more}


def rounded(values: Any) -> list[float | None]:
    """Return numbers with five digits; unknown ones as None, which breaks a line."""
    numbers = np.asarray(values, dtype=np.float64).ravel().tolist()
    return [float(f"{n:.5g}") if np.isfinite(n) else None for n in numbers]


def color(place: int) -> str:
    """Return the colour of the model or object at a place."""
    return PLOT_COLORS[place % len(PLOT_COLORS)]


def label(words: str) -> str:
    """Return words for a plot, whose texts understand a little HTML."""
    return html.escape(words, quote=False)


def text(words: str) -> str:
    """Return words for the page."""
    return html.escape(words)


_LAYOUT: dict[str, Any] = {
    "margin": {"l": 56, "r": 12, "t": 26, "b": 44},
    "font": {"family": 'system-ui, "DejaVu Sans", sans-serif', "size": 12},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "hovermode": "closest",
    "showlegend": False,
    "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
    "bargap": 0.04,
}
