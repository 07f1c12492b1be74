# SPDX-License-Identifier: Apache-2.0
"""Which true object a view is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.truth.objects import TrueObject
from stn_perception.geometry import FloatArray, convex_intersection, polygon_area

LEAST_OVERLAP = 0.3
"""Views that share less of their union with a true object are not of it."""


def match_truths(
    corners: FloatArray, ids: Sequence[str], truths: Sequence[TrueObject]
) -> list[int | None]:
    """The place in ``truths`` of each view's true object, None where it has none.

    A view and a true object with one id belong together, where neither side has it twice. The
    rest are paired one to one so that the overlaps (intersection over union of the outlines) add
    up to the most; pairs below ``LEAST_OVERLAP`` are not made.

    Args:
        corners: N×4×2 pixels, the views' corners; a view with NaN is paired by its id alone.
        ids: Of the N views; empty where a view has none.
        truths: The frame's true objects.
    """
    matches = _by_id(ids, truths)
    taken = {match for match in matches if match is not None}
    views = [index for index, match in enumerate(matches) if match is None]
    free = [index for index in range(len(truths)) if index not in taken]
    if not views or not free:
        return matches
    overlaps = np.array([[_overlap(corners[v], truths[t].corners) for t in free] for v in views])
    # Loaded where it is needed: labelling uses this package and does without.
    from scipy.optimize import linear_sum_assignment

    # Pairs that are too poor must not cost a better one its partner.
    gains = np.where(overlaps >= LEAST_OVERLAP, overlaps, 0.0)
    for row, column in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
        if gains[row, column] > 0:
            matches[views[row]] = free[column]
    return matches


def _by_id(ids: Sequence[str], truths: Sequence[TrueObject]) -> list[int | None]:
    views, objects = Counter(ids), Counter(truth.id for truth in truths)
    places = {truth.id: index for index, truth in enumerate(truths)}
    return [places[id] if id and views[id] == 1 and objects[id] == 1 else None for id in ids]


def _overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Intersection over union of two convex quads, 0 where one is none."""
    areas = polygon_area(first), polygon_area(second)
    if not min(areas) > 0:
        return 0.0
    shared = polygon_area(convex_intersection(first, second))
    return shared / (areas[0] + areas[1] - shared)
