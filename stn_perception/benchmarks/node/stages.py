# SPDX-License-Identifier: Apache-2.0
"""Where the time of a frame goes, from its stamp to its last view."""

from __future__ import annotations

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.figures import Figures, stage_ms
from stn_perception.benchmarks.node.passage import Passage
from stn_perception.benchmarks.report import Cell

# In the order of a frame's way.
_STAGES = {
    "carry": "written by the camera to taken by the node",
    "wait": "taken, paired with its boxes and fetched by the working thread",
    "decode": "message to frame and boxes",
    "crop": "network input",
    "network": "network",
    "compose": "answer to transforms",
    "track": "tracks and slots",
    "pose": "virtual cameras and poses",
    "warp": "views",
    "publish": "messages made and handed over",
    "total": "taken to last message handed over",
}
Row = dict[str, Cell]


def stage_rows(passage: Passage, case: Case, own: Figures) -> list[Row]:
    """One row a stage, as the node itself timed it, and what lies around the node.

    The node tells percentiles over its last ten seconds; medians of stages do not add up exactly.
    """
    told = stage_ms(passage, case)
    rows = [_row(name, meaning, told[name]) for name, meaning in _STAGES.items() if name in told]
    rows += [
        _row(name, f"stage of the pipeline: {name}", values)
        for name, values in told.items()
        if name not in _STAGES
    ]
    if own.last_view.p50_ms is not None and own.written.p50_ms is not None:
        out_ms = own.last_view.p50_ms - own.written.p50_ms
        rows.append(_row("out", "last view written to taken by the reader", {"p50_ms": out_ms}))
        whole = {name: getattr(own.last_view, name) for name in ("p50_ms", "p95_ms", "p99_ms")}
        rows.append(_row("whole", "due at the camera to taken by the reader", whole))
    return rows


def _row(name: str, meaning: str, values: dict[str, float]) -> Row:
    return {
        "stage": name,
        "from, to": meaning,
        "p50 ms": values.get("p50_ms"),
        "p95 ms": values.get("p95_ms"),
        "p99 ms": values.get("p99_ms"),
    }
