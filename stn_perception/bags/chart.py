# SPDX-License-Identifier: Apache-2.0
"""A line chart as SVG, for a page that works offline."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 1120, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 12, 30


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float]]],
    colors: Mapping[str, str],
    limit: float,
    top: float,
    unit: str,
) -> str:
    """Draw one line per series over seconds.

    Args:
        series: Points (seconds, value) by name; a gap of more than half a second breaks a line.
        colors: CSS colour by name.
        limit: A dashed line at this value.
        top: The value at the upper edge; points above are drawn on it.
        unit: What stands after a value.
    """
    points = [point for line in series.values() for point in line]
    if not points:
        return ""
    first, last = min(p[0] for p in points), max(p[0] for p in points)
    span = max(last - first, 1e-9)

    def place(seconds: float, value: float) -> str:
        x = _LEFT + (seconds - first) / span * (_WIDTH - _LEFT - _RIGHT)
        y = _TOP + (1 - min(value, top) / top) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<svg class="wide" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">']
    for value in (0.0, top / 2, top):
        start, end = place(first, value), place(last, value)
        parts.append(_segment(start, end, "#dfe4e8", ""))
        parts.append(_text(f"{value:g} {unit}", 0, float(start.split(",")[1]) + 4))
    parts.append(_segment(place(first, limit), place(last, limit), "#9aa6b2", "6 5"))
    for second in range(int(first) + 1, int(last) + 1):
        x = float(place(second, 0).split(",")[0])
        parts.append(_text(f"{second} s", x - 8, _HEIGHT - 8))
    for name, line in series.items():
        for piece in _pieces(line):
            path = " ".join(place(*point) for point in piece)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colors[name]}" '
                f'stroke-width="2" stroke-linejoin="round"><title>{html.escape(name)}</title>'
                "</polyline>"
            )
    return "".join([*parts, "</svg>"])


def _pieces(line: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    pieces: list[list[tuple[float, float]]] = []
    for point in line:
        if not pieces or point[0] - pieces[-1][-1][0] > 0.5:
            pieces.append([])
        pieces[-1].append(point)
    return pieces


def _segment(start: str, end: str, color: str, dash: str) -> str:
    (x1, y1), (x2, y2) = start.split(","), end.split(",")
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _text(text: str, x: float, y: float) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>'
