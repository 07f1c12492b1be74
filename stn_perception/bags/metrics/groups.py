# SPDX-License-Identifier: Apache-2.0
"""The same figures per object, class, camera, recording and condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.conditions import binned_conditions
from stn_perception.bags.metrics.measuring import Measured, measured, statistics_of
from stn_perception.bags.metrics.statistics import Statistics
from stn_perception.bags.metrics.view_columns import ViewColumns

# A detector that numbers every detection anew would make a group of each.
MOST_GROUPS = 50


@dataclass(frozen=True)
class Group:
    """The views of one model that have something in common.

    Attributes:
        name: What they have in common.
        metrics: Statistics by metric.
        views: How many.
    """

    name: str
    metrics: Mapping[str, Statistics]
    views: int


@dataclass(frozen=True)
class Grouping:
    """The groups of one kind.

    Attributes:
        title: What parts them.
        of_model: By model's label; the largest 50 where there are more, in the order of names or
            bins.
        left_out: Groups beyond the largest 50.
    """

    title: str
    of_model: Mapping[str, tuple[Group, ...]]
    left_out: int


@lru_cache(maxsize=2)
def grouped(evaluation: Evaluation) -> Mapping[str, Grouping]:
    """Return the groupings of an evaluation by their kind.

    ``object``, ``class``, ``camera``, ``bag``, and as far as they are known ``size_px``,
    ``sharpness``, ``turn_deg`` and ``distance_m``.
    """
    found = measured(evaluation)
    labels = tuple(evaluation.models)
    return {
        kind: _grouping(found, labels, title, names, places)
        for kind, title, names, places in _kinds(found.views)
    }


Kind = tuple[str, str, tuple[str, ...], NDArray[np.int64]]


def _kinds(views: ViewColumns) -> Iterator[Kind]:
    """Name, title, names of groups and each view's group (-1 for none) of each kind."""
    columns = {
        "object": views.thing,
        "class": views.class_id,
        "camera": views.camera,
        "bag": views.bag,
    }
    for kind, column in columns.items():
        names, places = np.unique(column, return_inverse=True)
        title = "recording" if kind == "bag" else kind
        shown = tuple(name or f"(no {kind})" for name in names.tolist())
        yield kind, title, shown, places.reshape(-1)
    for kind, binned in binned_conditions(views).items():
        yield kind, binned.title, binned.labels, binned.places


def _grouping(
    found: Measured,
    labels: tuple[str, ...],
    title: str,
    names: tuple[str, ...],
    places: NDArray[np.int64],
) -> Grouping:
    sizes = np.bincount(places[places >= 0], minlength=len(names))
    # The largest ones, then in their own order again.
    chosen = np.sort(np.argsort(-sizes, kind="stable")[:MOST_GROUPS]).tolist()
    of_model = {}
    for label in labels:
        of_label = found.views.model == label
        groups = []
        for place in chosen:
            members = of_label & (places == place)
            statistics = statistics_of(found.values, found.clusters, members)
            groups.append(Group(names[place], statistics, int(members.sum())))
        of_model[label] = tuple(groups)
    return Grouping(title, of_model, len(names) - len(chosen))
