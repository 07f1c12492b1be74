# SPDX-License-Identifier: Apache-2.0
"""Readings as rows of a score, and the rows as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from stn_perception.training.interval_text import interval_text
from stn_perception.training.road_signs.catalogue import UNKNOWN
from stn_perception.training.road_signs.measuring import Reading, is_read, is_upright
from stn_perception.training.road_signs.real_signs import side_px
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.scoring import bootstrap

UPRIGHT_DEG = 10.0


def _share(hits: Sequence[bool], seed: int) -> dict[str, float]:
    return bootstrap(100 * np.array(hits, dtype=np.float64), np.mean, seed).as_dict()


def score_row(
    data: str,
    method: str,
    samples: Sequence[SignSample],
    readings: Sequence[Reading],
    seed: int,
    has_view: bool,
) -> dict[str, Any]:
    """Return one row of the score.

    Args:
        data: name of the data set.
        method: name of what was run.
        samples: what was shown.
        readings: what was found, in the same order.
        seed: of the bootstrap.
        has_view: whether the method turns what it sees; else only the class is judged.
    """
    pairs = list(zip(readings, samples, strict=True))
    signs = [(r, s) for r, s in pairs if s.name != UNKNOWN]
    others = [(r, s) for r, s in pairs if s.name == UNKNOWN]
    row: dict[str, Any] = {"data": data, "method": method, "samples": len(pairs)}
    row["signs"], row["others"] = len(signs), len(others)
    if signs:
        row["read_percent"] = _share([is_read(r, s) for r, s in signs], seed)
    if others:
        row["refused_percent"] = _share([is_read(r, s) for r, s in others], seed)
    if signs and has_view:
        upright = [is_upright(r, s, UPRIGHT_DEG) for r, s in signs]
        both = [is_read(r, s) and up for (r, s), up in zip(signs, upright, strict=True)]
        row["upright_percent"] = _share(upright, seed)
        row["read_and_upright_percent"] = _share(both, seed)
        sides = np.array([r.side_percent for r, _ in signs])
        row["corners_percent"] = bootstrap(sides, np.median, seed).as_dict()
        inside = [float((np.abs(r.error) < r.sigma).mean()) for r, _ in signs if r.sigma.size]
        if len(inside) > 1:
            row["within_1_sigma"] = bootstrap(np.array(inside), np.mean, seed).as_dict()
    return row


def failures(readings: Sequence[Reading], samples: Sequence[SignSample]) -> list[dict[str, Any]]:
    """List the signs that were not read or are not upright, and what was said instead."""
    rows = []
    for reading, sample in zip(readings, samples, strict=True):
        upright = sample.name == UNKNOWN or is_upright(reading, sample, UPRIGHT_DEG)
        if not (is_read(reading, sample) and upright):
            rows.append(
                {
                    "where": sample.kind,
                    "sign": sample.name,
                    "side_px": round(side_px(sample), 1),
                    "read_as": reading.name,
                    "likelihood": round(reading.likelihood, 3),
                    "turn_off_deg": round(reading.turn_off_deg, 1),
                }
            )
    return rows


def signs_table(result: dict[str, Any]) -> str:
    """Return the rows of ``score_signs``'s result, and the failures in real pictures."""
    lines = [
        "| data | method | signs | others | read % | upright % | both % | refused % "
        "| corners, % of side | within 1 σ |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        sigma = row.get("within_1_sigma")
        covered = f"{100 * sigma['value']:.1f} %" if sigma else "–"
        lines.append(
            f"| {row['data']} | {row['method']} | {row['signs']} | {row['others']} "
            f"| {interval_text(row.get('read_percent'), 2)} "
            f"| {interval_text(row.get('upright_percent'), 2)} "
            f"| {interval_text(row.get('read_and_upright_percent'), 2)} "
            f"| {interval_text(row.get('refused_percent'), 1)} "
            f"| {interval_text(row.get('corners_percent'), 1)} "
            f"| {covered} |"
        )
    if result["failures"]:
        lines += ["", "Failures in the pictures:", ""]
        lines += ["| where | side px | is | read as | likelihood | turned by |", "|---" * 6 + "|"]
        for f in result["failures"]:
            turn = "–" if f["sign"] == UNKNOWN else f"{f['turn_off_deg']:.0f}°"
            lines.append(
                f"| {f['where']} | {f['side_px']:.0f} | {f['sign']} | {f['read_as']} "
                f"| {f['likelihood']:.2f} | {turn} |"
            )
    return "\n".join(lines)
