# SPDX-License-Identifier: Apache-2.0
"""Which views of two models show the same box of the same frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.view_columns import ViewColumns

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Views of two models beside each other.

    Attributes:
        first, second: P rows of the views of one box by each model.
        only_first, only_second: Views of one model for which the other has none.
    """

    first: Integers
    second: Integers
    only_first: int
    only_second: int


def paired_views(views: ViewColumns, first: str, second: str) -> Pairs:
    """Return the views of two models that show the same box.

    Both were asked for the same regions: recording, camera, frame, upstream id and the region's
    centre name one. Several equal ones of one frame are paired in their order.
    """
    rows = [_rows_by_box(views, label) for label in (first, second)]
    shared = [box for box in rows[0] if box in rows[1]]
    return Pairs(
        np.array([rows[0][box] for box in shared], dtype=np.int64),
        np.array([rows[1][box] for box in shared], dtype=np.int64),
        len(rows[0]) - len(shared),
        len(rows[1]) - len(shared),
    )


Box = tuple[str, str, int, int, str, float, float, int]


def _rows_by_box(views: ViewColumns, label: str) -> dict[Box, int]:
    found: dict[Box, int] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in np.flatnonzero(views.model == label).tolist():
        frame = (str(views.bag[row]), str(views.camera[row]), int(views.frame[row]))
        x, y = np.round(views.box[row, :2], 3).tolist()
        box = (*frame, int(views.stamp_ns[row]), str(views.object_id[row]), x, y)
        found[(*box, seen[box])] = row
        seen[box] += 1
    return found
