# SPDX-License-Identifier: Apache-2.0
"""The rows of a score as a Markdown table."""

from __future__ import annotations

from typing import Any

from stn_perception.training.interval_text import interval_text

_HEAD = (
    "| data | method | samples | mean px | median px | p95 px | median % of side "
    "| under 5 % | within 1 σ |",
    "|---|---|---|---|---|---|---|---|---|",
)


def score_table(result: dict[str, Any]) -> str:
    """Return the rows of ``score_planar``'s result, intervals in brackets."""
    lines = list(_HEAD)
    for row in result["rows"]:
        sigma = row.get("within_1_sigma")
        covered = f"{100 * sigma['value']:.1f} %" if sigma else "–"
        lines.append(
            f"| {row['data']} | {row['method']} | {row['samples']} "
            f"| {interval_text(row['mean_px'], 2)} | {interval_text(row['median_px'], 2)} "
            f"| {interval_text(row['p95_px'], 2)} "
            f"| {interval_text(row['median_percent_of_side'], 2)} "
            f"| {100 * row['share_under_5_percent']:.1f} % "
            f"| {covered} |"
        )
    return "\n".join(lines)
