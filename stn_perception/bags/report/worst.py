# SPDX-License-Identifier: Apache-2.0
"""The views that one should look at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import Evaluation, ViewRecord
from stn_perception.bags.metrics.measuring import Measured, measured
from stn_perception.bags.metrics.view_columns import in_order

Picture = NDArray[np.uint8]

# The first of these that is known of any view says what is bad.
BADNESS = ("corner_error_of_side", "equivariance_error", "jitter_of_side")


@dataclass(frozen=True, eq=False)
class WorstView:
    """A view with its pictures.

    Attributes:
        record: The view.
        overlay: BGR, its part of the frame with the predicted and the true outline.
        view: BGR, what the view shows, or None.
    """

    record: ViewRecord
    overlay: Picture
    view: Picture | None


def worst_views(evaluation: Evaluation, count: int = 20) -> list[ViewRecord]:
    """Return the worst views, the models taking turns, each one's worst first.

    By the corner error as a share of the side; where no truth is known, by the equivariance
    error, else by the jitter. Of one object in one second only the worst is taken as long as
    there are others: its neighbours look the same.
    """
    found = measured(evaluation)
    metric = badness(found)
    if metric is None:
        return []
    rows = in_order(evaluation.views)
    queues = [_ranked(found, metric, label) for label in evaluation.models]
    chosen: list[ViewRecord] = []
    while queues and len(chosen) < count:
        queue = queues.pop(0)
        row = next(queue, None)
        if row is not None:
            chosen.append(rows[row])
            queues.append(queue)
    return chosen


def badness(found: Measured) -> str | None:
    """Return the metric that says which views are bad; None where none is known."""
    known = (name for name in BADNESS if np.isfinite(found.values[name]).any())
    return next(known, None)


def _ranked(found: Measured, metric: str, label: str) -> Iterator[int]:
    """Rows of a model from the worst: first the worst of each cluster, then all others."""
    values = found.values[metric]
    rows = np.flatnonzero((found.views.model == label) & np.isfinite(values))
    rows = rows[np.argsort(-values[rows], kind="stable")]
    firsts = np.sort(np.unique(found.clusters[rows], return_index=True)[1])
    yield from rows[firsts].tolist()
    yield from np.delete(rows, firsts).tolist()
