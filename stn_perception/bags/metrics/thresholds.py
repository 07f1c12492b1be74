# SPDX-License-Identifier: Apache-2.0
"""Limits that an evaluation must keep, from a file, so that it can gate a change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.as_json import added
from stn_perception.bags.metrics.measuring import measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.bags.metrics.statistics import FEWEST_CLUSTERS, Interval, Statistics

_STATISTICS = ("median", "mean", "p95", "n")
_SKIPPED = "skipped"


class Limit(BaseModel):
    """What a number must keep.

    Attributes:
        min, max: Ends that belong to what is allowed.
        confident: Whether the end of the 95 % interval must keep it, not just the number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    min: float | None = None
    max: float | None = None
    confident: bool = False

    @model_validator(mode="after")
    def _check_ends(self) -> Limit:
        if self.min is None and self.max is None:
            raise ValueError("a limit has neither min nor max, expected at least one")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min is {self.min:g}, expected at most max ({self.max:g})")
        return self


Thresholds = Mapping[str, Mapping[str, Limit]]
_FILE: TypeAdapter[dict[str, dict[str, Limit]]] = TypeAdapter(dict[str, dict[str, Limit]])


def read_thresholds(path: Path) -> Thresholds:
    """Read limits from a YAML or JSON file; ``docs/metrics.md`` shows one.

    Raises:
        ValueError: The file cannot be read or is no set of limits; one sentence.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise ValueError(f"the thresholds {path} cannot be read: {reason}") from error
    try:
        return parse_thresholds(content)
    except ValueError as error:
        raise ValueError(f"the thresholds {path}: {error}") from error


def parse_thresholds(content: Any) -> Thresholds:
    """Check limits: {metric: {statistic: {"min", "max", "confident"}}}, and "skipped" by reason.

    Raises:
        ValueError: A metric or a statistic is not known, or a limit is none; one sentence.
    """
    try:
        thresholds = _FILE.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{where}: {first['msg']}") from error
    for metric, limits in thresholds.items():
        if metric == _SKIPPED:
            continue
        if metric not in METRICS:
            known = ", ".join((*METRICS, _SKIPPED))
            raise ValueError(f"{metric!r} is no metric, expected one of {known}")
        for statistic in limits:
            if statistic not in _STATISTICS:
                known = ", ".join(_STATISTICS)
                raise ValueError(
                    f"{statistic!r} is no statistic of {metric}, expected one of {known}"
                )
    return thresholds


def check_thresholds(
    thresholds: Thresholds, evaluation: Evaluation, label: str | None = None
) -> list[str]:
    """Return a sentence for every limit that one model does not keep.

    Args:
        thresholds: Of ``read_thresholds`` or ``parse_thresholds``.
        evaluation: What was found.
        label: The model; the first one where it is left out.
    """
    label = next(iter(evaluation.models)) if label is None else label
    skipped = added(bag.skipped for bag in evaluation.bags)
    of_model = measured(evaluation).of_model[label]
    failures: list[str] = []
    for metric, limits in thresholds.items():
        for name, limit in limits.items():
            if metric == _SKIPPED:
                count = float(skipped.get(name, 0))
                failures += _broken(f"skipped for {name}", count, (count, count), "", limit)
            else:
                failures += _of_statistic(metric, name, of_model[metric], limit)
    return failures


def _of_statistic(metric: str, name: str, found: Statistics, limit: Limit) -> Iterator[str]:
    what = f"{name} of {metric}"
    if name == "n":
        yield from _broken(what, found.n, (found.n, found.n), "", limit)
        return
    value: float | None = getattr(found, name)
    if value is None:
        yield f"{what} is not known: there is no sample of it, {_allowed(limit)}."
        return
    interval: Interval | None = getattr(found, f"{name}_ci95")
    if limit.confident and interval is None:
        yield (
            f"{what} is {value:.4g} without an interval ({found.clusters} clusters, at least "
            f"{FEWEST_CLUSTERS} needed), so it is not confidently {_allowed(limit)}."
        )
        return
    text = "" if interval is None else f" (95 % interval {interval[0]:.4g} to {interval[1]:.4g})"
    ends = interval if limit.confident and interval is not None else (value, value)
    yield from _broken(what, value, ends, text, limit)


def _broken(what: str, value: float, ends: Interval, text: str, limit: Limit) -> Iterator[str]:
    low, high = ends
    too_low = limit.min is not None and low < limit.min
    too_high = limit.max is not None and high > limit.max
    if too_low or too_high:
        surely = ", for the whole interval" if limit.confident else ""
        yield f"{what} is {value:.4g}{text}, {_allowed(limit)}{surely}."


def _allowed(limit: Limit) -> str:
    ends = [f"at least {limit.min:g}"] if limit.min is not None else []
    ends += [f"at most {limit.max:g}"] if limit.max is not None else []
    return f"allowed is {' and '.join(ends)}"


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
