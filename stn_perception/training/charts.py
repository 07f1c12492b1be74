# SPDX-License-Identifier: Apache-2.0
"""Small charts as SVG text, for cards and pages that need no network and print well."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from stn_perception.bags.page_style import PLOT_COLORS

INK, SOFT, GRID = "#28323c", "#5d6b78", "#dfe4e8"
# Far apart for every eye (Okabe and Ito 2008).
COLORS = PLOT_COLORS[:-1]  # but for the gray, which is that of the grid
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 30, 46
_FONT = "system-ui, 'DejaVu Sans', sans-serif"

Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """One axis of a chart.

    Attributes:
        label: what it shows, with its unit.
        low, high: its ends; values beyond are drawn at the end.
        log: logarithmic; then ``low`` is above 0.
    """

    label: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Check the ends."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"the axis runs from {self.low} to {self.high}, expected low < high")
        if self.log and self.low <= 0:
            raise ValueError(f"the logarithmic axis begins at {self.low}, expected more than 0")

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, 0 to 1."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return about five round values within the ends."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            wide = last - first > 3
            mantissas = (1,) if wide else (1, 2, 5)
            values = [m * 10.0**e for e in range(first, last + 1) for m in mantissas]
        else:
            rough = (self.high - self.low) / 5
            unit = 10.0 ** math.floor(math.log10(rough))
            step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
            start = math.ceil(self.low / step - 1e-9)
            values = [step * k for k in range(start, start + 12)]
        slack = 1e-9 * (self.high - self.low)
        return [v for v in values if self.low - slack <= v <= self.high + slack]


def axis_around(values: Sequence[float], label: str, log: bool = False) -> Axis:
    """Return an axis that holds all finite values with a little room around them."""
    finite = [float(v) for v in values if math.isfinite(v) and (v > 0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (1.0, 2.0)
    if log:
        return Axis(label, low / 1.25, high * 1.25, log=True)
    room = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
    return Axis(label, low - room, high + room)


class Chart:
    """Marks on two axes; every method draws over what is there.

    Args:
        x, y: the axes.
        title: stands above.
        width, height: in SVG units, axes and texts included.
    """

    def __init__(
        self, x: Axis, y: Axis, title: str = "", width: int = 420, height: int = 330
    ) -> None:
        self.x, self.y = x, y
        self.width, self.height = width, height
        self._parts = [f'<rect width="{width}" height="{height}" fill="#fff"/>']
        self._text(_LEFT, 18, title, INK, "start", 13)
        self._frame()

    def dots(
        self, points: Sequence[Point], color: str, radius: float = 3, opacity: float = 1
    ) -> None:
        """Draw a dot for each finite point."""
        marks = "".join(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>' for x, y in self._placed(points)
        )
        self._parts.append(f'<g fill="{color}" fill-opacity="{opacity:g}">{marks}</g>')

    def line(self, points: Sequence[Point], color: str, width: float = 2, dash: str = "") -> None:
        """Join the finite points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in self._placed(points))
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"'
            f"{dashes}/>"
        )

    def spans(self, spans: Sequence[tuple[float, float, float]], color: str) -> None:
        """Draw an upright bar from low to high for each (x, low, high)."""
        for x, low, high in spans:
            ends = self._placed([(x, low), (x, high)])
            if len(ends) < 2:
                continue
            (at, bottom), (_, top) = ends
            self._parts.append(
                f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{bottom:.1f}" y2="{top:.1f}" '
                f'stroke="{color}" stroke-opacity="0.6"/>'
            )

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Name colours in the upper left corner; entries are name and colour."""
        for row, (name, color) in enumerate(entries):
            y = _TOP + 14 + 15 * row
            self._parts.append(f'<circle cx="{_LEFT + 12}" cy="{y - 4}" r="4" fill="{color}"/>')
            self._text(_LEFT + 21, y, name, INK)

    def body(self) -> str:
        """Return the marks, without the svg element around them."""
        return "".join(self._parts)

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        inner_width = self.width - _LEFT - _RIGHT
        inner_height = self.height - _TOP - _BOTTOM
        return [
            (
                _LEFT + self.x.share(x) * inner_width,
                _TOP + (1 - self.y.share(y)) * inner_height,
            )
            for x, y in points
            if math.isfinite(x) and math.isfinite(y)
        ]

    def _frame(self) -> None:
        right, bottom = self.width - _RIGHT, self.height - _BOTTOM
        for value in self.x.ticks():
            at = self._placed([(value, self.y.low)])[0][0]
            self._rule(at, at, _TOP, bottom)
            self._text(at, bottom + 15, f"{value:g}", SOFT, "middle")
        for value in self.y.ticks():
            at = self._placed([(self.x.low, value)])[0][1]
            self._rule(_LEFT, right, at, at)
            self._text(_LEFT - 6, at + 4, f"{value:g}", SOFT, "end")
        self._text((_LEFT + right) / 2, self.height - 10, self.x.label, INK, "middle")
        middle = (_TOP + bottom) / 2
        self._parts.append(
            f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle" '
            f'font-size="12" fill="{INK}" font-family="{_FONT}">{html.escape(self.y.label)}</text>'
        )

    def _rule(self, x1: float, x2: float, y1: float, y2: float) -> None:
        self._parts.append(
            f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'
        )

    def _text(
        self, x: float, y: float, text: str, color: str, anchor: str = "start", size: int = 12
    ) -> None:
        if text:
            self._parts.append(
                f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
                f'fill="{color}" font-family="{_FONT}">{html.escape(text)}</text>'
            )


def svg(charts: Sequence[Chart], columns: int = 2) -> str:
    """Return charts beside and below one another as one SVG document, in equal cells."""
    if not charts:
        raise ValueError("there are no charts to draw, expected at least one")
    columns = min(columns, len(charts))
    width, height = max(c.width for c in charts), max(c.height for c in charts)
    rows = -(-len(charts) // columns)
    cells = "".join(
        f'<g transform="translate({i % columns * width} {i // columns * height})">'
        f"{chart.body()}</g>"
        for i, chart in enumerate(charts)
    )
    size = (columns * width, rows * height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" role="img">{cells}</svg>\n'
    )
