# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of scores: figures of one method on one set of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.interval_text import interval_text
from stn_perception.training.scoring import bootstrap
from stn_perception.training.tabletop.grasps import GraspResult
from stn_perception.training.tabletop.measuring import BoxErrors
from stn_perception.training.tabletop.oriented import ANGLE_DEFINED_FROM
from stn_perception.training.tabletop.sample import BoxSample

Values = NDArray[np.float64]


def _p95(values: Values, axis: int) -> Values:
    return np.asarray(np.percentile(values, 95, axis=axis))


def angle_defined(samples: Sequence[BoxSample]) -> NDArray[np.bool_]:
    """Return which samples have an angle to be judged, N."""
    return np.array([sample.truth.aspect >= ANGLE_DEFINED_FROM for sample in samples])


def error_row(
    data: str, method: str, samples: Sequence[BoxSample], errors: BoxErrors, seed: int
) -> dict[str, Any]:
    """Return one row: angles of the samples that have one, centres and sizes of all.

    Args:
        data: name of the samples.
        method: what answered.
        samples: N.
        errors: of the same samples.
        seed: of the bootstrap.
    """
    defined = angle_defined(samples)
    row: dict[str, Any] = {
        "data": data,
        "method": method,
        "samples": len(samples),
        "refused": errors.refused,
        "with_an_angle": int(defined.sum()),
    }
    if defined.any():
        angle = errors.angle_deg[defined]
        row["median_angle_deg"] = bootstrap(angle, np.median, seed).as_dict()
        row["p95_angle_deg"] = bootstrap(angle, _p95, seed).as_dict()
    row["median_angle_of_all_deg"] = bootstrap(errors.angle_deg, np.median, seed).as_dict()
    row["median_centre_px"] = bootstrap(errors.centre_px, np.median, seed).as_dict()
    row["mean_centre_px"] = bootstrap(errors.centre_px, np.mean, seed).as_dict()
    row["median_size_percent"] = bootstrap(errors.size_percent, np.median, seed).as_dict()
    predicted = np.isfinite(errors.sigmas).all(axis=1)
    if predicted.any():
        inside = (errors.errors < errors.sigmas)[predicted].mean(axis=1)
        row["within_1_sigma"] = bootstrap(inside, np.mean, seed).as_dict()
        both = predicted & defined
        if both.any():
            turned = (errors.angle_deg < errors.angle_sigma_deg)[both].astype(np.float64)
            row["angle_within_1_sigma"] = bootstrap(turned, np.mean, seed).as_dict()
    return row


def grasp_rows(result: GraspResult, name: str, seed: int) -> list[dict[str, Any]]:
    """Return one row per way of choosing the grasp, with the share that was lifted.

    Args:
        result: of the trials.
        name: of the model.
        seed: of the bootstrap.
    """
    upright = result.lifted["axis-aligned box"]
    rows = []
    for way, held in result.lifted.items():
        row: dict[str, Any] = {
            "data": "simulated grasps",
            "method": name if way == "model" else way,
            "samples": len(held),
            "success": bootstrap(held.astype(np.float64), np.mean, seed).as_dict(),
        }
        if (~upright).any():
            # Of the trials that fail when the gripper follows the detection's own sides.
            gone = held[~upright].astype(np.float64)
            row["axis_aligned_failures_gone"] = bootstrap(gone, np.mean, seed).as_dict()
        rows.append(row)
    return rows


def box_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a Markdown table of ``error_row``s."""
    lines = [
        "| data | method | samples (with an angle) | angle median ° | angle p95 ° | centre median "
        "px | centre mean px | size median % | corners within 1 σ | angles within 1 σ |",
        "|---" * 10 + "|",
    ]
    for row in rows:
        cells = [
            row["data"],
            row["method"],
            f"{row['samples']} ({row['with_an_angle']})",
            interval_text(row.get("median_angle_deg"), 2),
            interval_text(row.get("p95_angle_deg"), 1),
            interval_text(row.get("median_centre_px"), 2),
            interval_text(row.get("mean_centre_px"), 2),
            interval_text(row.get("median_size_percent"), 1),
            interval_text(row.get("within_1_sigma"), 1, 100),
            interval_text(row.get("angle_within_1_sigma"), 1, 100),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def grasp_table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a Markdown table of ``grasp_rows``."""
    lines = [
        "| data | closing along | trials | lifted % "
        "| of the axis-aligned box's failures, lifted % |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        success = interval_text(row.get("success"), 1, 100)
        gone = interval_text(row.get("axis_aligned_failures_gone"), 1, 100)
        lines.append(
            f"| {row['data']} | {row['method']} | {row['samples']} | {success} | {gone} |"
        )
    return lines
