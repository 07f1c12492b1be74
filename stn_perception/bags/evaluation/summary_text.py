# SPDX-License-Identifier: Apache-2.0
"""The figures of an evaluation for people, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stn_perception.bags.wording import plural

_WIDTH = 24


def summary_text(content: Mapping[str, Any]) -> str:
    """A table of every metric of every model, what was left out, and who is better.

    Args:
        content: As ``evaluation_json`` gives it.
    """
    lines = [
        f"{plural(content['frames'], 'frame')}, {plural(content['views'], 'view')} of "
        f"{plural(content['bags'], 'recording')} in "
        f"{content['seconds']:.1f} s ({content['fps']:.1f} frames a second)"
    ]
    for label, model in content["models"].items():
        lines += ["", f"{label} ({model['name']} {model['version']})"]
        lines.append(f"  {'':{_WIDTH}} {'median':>10} {'95 % interval':>22} {'p95':>10} {'n':>8}")
        lines += [f"  {_row(name, found)}" for name, found in model["metrics"].items()]
    if content["skipped"]:
        counts = ", ".join(f"{count} {reason}" for reason, count in content["skipped"].items())
        lines += ["", f"left out: {counts}"]
    lines += [f"\n{one['verdict']}" for one in content["comparison"]]
    return "\n".join(lines)


def _row(name: str, found: Mapping[str, Any]) -> str:
    low, high = found["ci95"]
    interval = f"{_text(low)} to {_text(high)}"
    median, p95 = _text(found["median"]), _text(found["p95"])
    return f"{name:{_WIDTH}} {median:>10} {interval:>22} {p95:>10} {found['n']:>8}"


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
