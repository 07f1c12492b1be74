# SPDX-License-Identifier: Apache-2.0
"""Which of two models is better on the same boxes, by how much, and whether by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.measuring import Measured, measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.bags.metrics.pairing import Pairs, paired_views
from stn_perception.bags.metrics.per_view import corner_errors_of_side
from stn_perception.bags.metrics.permutation import holm, sign_flip_p
from stn_perception.bags.metrics.statistics import Statistics, statistics

# With truth what is right can be told, without it what is steady.
_WITH_TRUTH = ("corner_error_of_side",)
_WITHOUT_TRUTH = ("jitter_of_side", "equivariance_error")
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two models on the boxes that both made a view of.

    Attributes:
        first, second: Labels.
        metric: What is compared.
        difference: Statistics of second minus first; below 0 the second is better.
        p: Of the sign-flip test of the mean difference over clusters.
        p_holm: The same, corrected for all comparisons of the evaluation.
        comparisons: How many these are.
        only_first, only_second: Views that only one of them has.
        lenient: Label of the model that leaves more turns open than the other; empty where both
            leave the same ones open, or where turns do not show in the metric.
        symmetry: By how many poses the lenient one's views are right: 2 or 4.
    """

    first: str
    second: str
    metric: str
    difference: Statistics
    p: float
    p_holm: float
    comparisons: int
    only_first: int
    only_second: int
    lenient: str = ""
    symmetry: int = 1

    @property
    def better(self) -> str | None:
        """The better one's label; None where chance may explain the difference."""
        if self.p_holm >= SIGNIFICANT or not self.difference.mean:
            return None
        return self.second if self.difference.mean < 0 else self.first

    @property
    def verdict(self) -> str:
        """Which is better, by how much, and whether that could be chance, in words."""
        return f"{self._finding()} {self._chance()}{self._forgiven()}{self._unpaired()}"

    def _finding(self) -> str:
        metric, found = METRICS[self.metric], self.difference
        what = metric.title.split(" (")[0]
        if not found.n or found.mean is None or found.median is None:
            return (
                f"{self.first} and {self.second} have no view of the same box whose {what} is "
                "known."
            )
        if not found.mean and not found.median and self.p == 1:
            return f"{self.first} and {self.second} have the same {what} on average."
        interval = "too few clusters for an interval"
        if found.mean_ci95 is not None:
            low, high = sorted(_sign(self) * end for end in found.mean_ci95)
            interval = f"95 % interval {metric.text(low)} to {metric.text(high)}"
        mean, median = (metric.text(_sign(self) * v) for v in (found.mean, found.median))
        lead, trail = (self.second, self.first) if found.mean < 0 else (self.first, self.second)
        numbers = f"{mean} of the side ({interval}; median {median})"
        if self.better:
            return f"{lead} is better than {trail}: its {what} is smaller by {numbers}."
        return (
            f"{self.first} and {self.second} cannot be told apart: the {what} of {lead} is "
            f"smaller by {numbers}."
        )

    def _chance(self) -> str:
        found = self.difference
        if not found.n:
            return ""
        p = "p < 0.0001" if self.p_holm < 1e-4 else f"p = {self.p_holm:.2g}"
        if self.comparisons > 1:
            p += f", corrected for {self.comparisons} comparisons"
        could = "Chance alone hardly explains this" if self.better else "That could be chance"
        return f"{could} ({p}; {found.n} paired views in {found.clusters} clusters)."

    def _forgiven(self) -> str:
        if not self.lenient:
            return ""
        turns = "Quarter" if self.symmetry == 4 else "Half"
        whom = "both" if self.metric in _WITH_TRUTH else "it alone"
        return f" {turns} turns, which {self.lenient} leaves open, are forgiven to {whom}."

    def _unpaired(self) -> str:
        parts = [
            f"{count} {'views' if count > 1 else 'view'} only {label} has"
            for count, label in ((self.only_first, self.first), (self.only_second, self.second))
            if count
        ]
        return f" Left out: {', '.join(parts)}." if parts else ""


def _sign(comparison: Comparison) -> float:
    """What makes the mean difference positive: by how much the smaller one is smaller."""
    mean = comparison.difference.mean
    return -1.0 if mean is not None and mean < 0 else 1.0


@lru_cache(maxsize=2)
def compared(evaluation: Evaluation) -> tuple[Comparison, ...]:
    """Compare every two models of an evaluation; nothing where there is one model.

    By the corner error as a share of the side where truth is known, else by jitter and by
    equivariance error. The p-values are corrected for the number of comparisons.
    """
    found = measured(evaluation)
    made = [
        one
        for first, second in combinations(evaluation.models, 2)
        for one in _of_two(found, first, second)
    ]
    corrected = holm([one.p for one in made])
    return tuple(
        replace(one, p_holm=p, comparisons=len(made))
        for one, p in zip(made, corrected, strict=True)
    )


def _of_two(found: Measured, first: str, second: str) -> Iterator[Comparison]:
    pairs = paired_views(found.views, first, second)
    known = [name for name in _WITH_TRUTH if _known(found, pairs, name)]
    known = known or [name for name in _WITHOUT_TRUTH if _known(found, pairs, name)]
    for name in known or _WITH_TRUTH:
        difference = _differences(found, pairs, name)
        clusters = found.clusters[pairs.first]
        finite = np.isfinite(difference)
        p = sign_flip_p(difference[finite], clusters[finite])
        yield Comparison(
            first,
            second,
            name,
            statistics(difference, clusters),
            p,
            p,
            1,
            pairs.only_first,
            pairs.only_second,
            *_lenient(found, pairs, name, (first, second)),
        )


def _differences(found: Measured, pairs: Pairs, name: str) -> NDArray[np.float64]:
    """Second minus first of each pair.

    Corner errors of a pair are up to the same turns: a model that does not say which way is up
    would else win against one that says it and errs at times.
    """
    symmetries = found.views.symmetry[pairs.first], found.views.symmetry[pairs.second]
    if name not in _WITH_TRUTH or np.array_equal(*symmetries):
        return np.asarray(found.values[name][pairs.second] - found.values[name][pairs.first])
    first, second = (
        corner_errors_of_side(found.views.where(rows), np.maximum(*symmetries))
        for rows in (pairs.first, pairs.second)
    )
    return np.asarray(second - first)


def _lenient(found: Measured, pairs: Pairs, name: str, labels: tuple[str, str]) -> tuple[str, int]:
    """Which of two models leaves more turns open, and its symmetry, where the metric shows it."""
    rows = (pairs.first, pairs.second)
    symmetries = [int(found.views.symmetry[one].max(initial=1)) for one in rows]
    if name == "jitter_of_side" or symmetries[0] == symmetries[1]:
        return "", 1
    return labels[int(np.argmax(symmetries))], max(symmetries)


def _known(found: Measured, pairs: Pairs, name: str) -> bool:
    values = found.values[name]
    return bool(np.isfinite(values[pairs.first] + values[pairs.second]).any())
