# SPDX-License-Identifier: Apache-2.0
"""All figures of an evaluation, made once and read by the page, the JSON and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.clusters import cluster_numbers
from stn_perception.bags.metrics.coverage import Answers, coverage, truth_coverage
from stn_perception.bags.metrics.jitter import jitter_of_side
from stn_perception.bags.metrics.metric_names import METRICS, VIEW_METRICS
from stn_perception.bags.metrics.per_view import per_view_metrics
from stn_perception.bags.metrics.statistics import Statistics, statistics
from stn_perception.bags.metrics.view_columns import ViewColumns, view_columns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Measured:
    """The views of an evaluation and their figures.

    Attributes:
        views: Of all models, in their own order.
        values: N figures by the name of each metric of views, NaN where unknown.
        clusters: N; views of one thing within one second are one cluster.
        of_model: Statistics by model's label and metric, in the order of ``METRICS``; metrics
            without a sample are there with n = 0.
    """

    views: ViewColumns
    values: Mapping[str, Floats]
    clusters: Integers
    of_model: Mapping[str, Mapping[str, Statistics]]


@lru_cache(maxsize=2)
def measured(evaluation: Evaluation) -> Measured:
    """Return the figures of an evaluation; the same ones for the same records in any order.

    An evaluation does not change, so asking again costs nothing.
    """
    views = view_columns(evaluation.views)
    known = per_view_metrics(views) | {"jitter_of_side": jitter_of_side(views)}
    values = {name: known[name] for name in VIEW_METRICS}
    clusters = cluster_numbers(views.stamp_ns, views.bag, views.camera, views.thing)
    of_model = {
        label: _of_model(evaluation, label, values, clusters, views.model == label)
        for label in evaluation.models
    }
    return Measured(views, values, clusters, of_model)


def statistics_of(
    values: Mapping[str, Floats], clusters: Integers, chosen: NDArray[np.bool_]
) -> dict[str, Statistics]:
    """Return the statistics of every metric of the chosen views."""
    return {name: statistics(v[chosen], clusters[chosen]) for name, v in values.items()}


def _of_model(
    evaluation: Evaluation,
    label: str,
    values: Mapping[str, Floats],
    clusters: Integers,
    chosen: NDArray[np.bool_],
) -> dict[str, Statistics]:
    frames = [frame for frame in evaluation.frames if frame.model == label]
    found = statistics_of(values, clusters, chosen)
    found["coverage"] = _of_answers(coverage(frames))
    found["truth_coverage"] = _of_answers(truth_coverage(frames))
    return {name: found[name] for name in METRICS}


def _of_answers(answers: Answers) -> Statistics:
    return statistics(answers.values, answers.clusters, is_share=True)
