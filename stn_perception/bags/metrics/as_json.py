# SPDX-License-Identifier: Apache-2.0
"""The figures of an evaluation for machines."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from stn_perception.bags.evaluation.records import EvaluatedBag, Evaluation
from stn_perception.bags.metrics.comparison import Comparison, compared
from stn_perception.bags.metrics.groups import grouped
from stn_perception.bags.metrics.measuring import measured
from stn_perception.bags.metrics.statistics import Interval, Statistics


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an evaluation; ``docs/metrics.md`` describes every key.

    ``metrics`` and ``views`` are the first model's; ``models`` holds those of each. A figure
    that is not known is None, never NaN.
    """
    models = {label: _model(evaluation, label) for label in evaluation.models}
    first = next(iter(models.values()), {"metrics": {}, "views": 0})
    frames = sum(bag.frames for bag in evaluation.bags)
    return {
        "bags": len(evaluation.bags),
        "frames": frames,
        "views": first["views"],
        "seconds": number(evaluation.seconds),
        "fps": number(frames / evaluation.seconds) if evaluation.seconds > 0 else None,
        "metrics": first["metrics"],
        "models": models,
        "skipped": added(bag.skipped for bag in evaluation.bags),
        "comparison": [_comparison(one) for one in compared(evaluation)],
        "dataset_sha256": dataset_sha256(evaluation),
        "recordings": [_recording(bag) for bag in evaluation.bags],
    }


def dataset_sha256(evaluation: Evaluation) -> str:
    """Return the SHA-256 of the recordings' hashes, sorted, one to a line."""
    lines = "".join(f"{digest}\n" for digest in sorted(bag.sha256 for bag in evaluation.bags))
    return hashlib.sha256(lines.encode()).hexdigest()


def number(value: float | None) -> float | None:
    """Return six digits of a number; None where it is not known."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")


def metrics_json(metrics: Mapping[str, Statistics]) -> dict[str, Any]:
    """Return the metrics that have samples."""
    return {name: _statistics(found) for name, found in metrics.items() if found.n}


def added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts by reason, reasons by name."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return {reason: total[reason] for reason in sorted(total) if total[reason]}


def _statistics(found: Statistics) -> dict[str, Any]:
    return {
        "median": number(found.median),
        "mean": number(found.mean),
        "p95": number(found.p95),
        "ci95": interval_json(found.ci95),
        "n": found.n,
    }


def interval_json(interval: Interval | None) -> list[float | None]:
    """Return both ends, None where there is no interval."""
    low, high = interval if interval is not None else (None, None)
    return [number(low), number(high)]


def _model(evaluation: Evaluation, label: str) -> dict[str, Any]:
    facts = evaluation.models[label]
    frames = [frame for frame in evaluation.frames if frame.model == label]
    return {
        "name": facts.name,
        "version": facts.version,
        "sha256": facts.sha256,
        "views": sum(view.model == label for view in evaluation.views),
        "dropped": added(frame.dropped for frame in frames),
        "metrics": metrics_json(measured(evaluation).of_model[label]),
        "groups": {
            kind: {group.name: metrics_json(group.metrics) for group in grouping.of_model[label]}
            for kind, grouping in grouped(evaluation).items()
        },
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    difference = one.difference
    return {
        "first": one.first,
        "second": one.second,
        "metric": one.metric,
        "n": difference.n,
        "clusters": difference.clusters,
        "median_difference": number(difference.median),
        "median_ci95": interval_json(difference.median_ci95),
        "mean_difference": number(difference.mean),
        "mean_ci95": interval_json(difference.mean_ci95),
        "p": number(one.p),
        "p_holm": number(one.p_holm),
        "only_first": one.only_first,
        "only_second": one.only_second,
        "lenient": one.lenient,
        "symmetry": one.symmetry,
        "better": one.better,
        "verdict": one.verdict,
    }


def _recording(bag: EvaluatedBag) -> dict[str, Any]:
    return {
        "name": bag.name,
        "uri": bag.uri,
        "sha256": bag.sha256,
        "frames": bag.frames,
        "start_ns": bag.start_ns,
        "end_ns": bag.end_ns,
        "skipped": dict(sorted(bag.skipped.items())),
        "sentences": list(bag.sentences),
    }
