# SPDX-License-Identifier: Apache-2.0
"""The rows of a score as a Markdown table."""

from __future__ import annotations

from typing import Any

_HEAD = (
    "| data | method | samples | mean px | median px | p95 px | median % of side "
    "| under 5 % | within 1 σ |",
    "|---|---|---|---|---|---|---|---|---|",
)


def _interval(figure: dict[str, float], digits: int = 2) -> str:
    low, high = figure["low"], figure["high"]
    return f"{figure['value']:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def score_table(result: dict[str, Any]) -> str:
    """Return the rows of ``score_planar``'s result, intervals in brackets."""
    lines = list(_HEAD)
    for row in result["rows"]:
        sigma = row.get("within_1_sigma")
        covered = f"{100 * sigma['value']:.1f} %" if sigma else "–"
        lines.append(
            f"| {row['data']} | {row['method']} | {row['samples']} | {_interval(row['mean_px'])} "
            f"| {_interval(row['median_px'])} | {_interval(row['p95_px'])} "
            f"| {_interval(row['median_percent_of_side'])} "
            f"| {100 * row['share_under_5_percent']:.1f} % "
            f"| {covered} |"
        )
    return "\n".join(lines)
