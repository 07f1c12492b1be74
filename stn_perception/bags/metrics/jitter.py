# SPDX-License-Identifier: Apache-2.0
"""How much a view trembles while its object is still; needs no truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.view_columns import ViewColumns
from stn_perception.geometry.box_rows import box_corners
from stn_perception.geometry.quads import quad_sides_px

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

# An object is still where no corner of its box, or of its truth, moves further between two
# frames than this share of the mean side.
STILL_SHARE = 0.02


def jitter_of_side(views: ViewColumns) -> Floats:
    """RMS displacement of a view's corners between frames, without steady motion, over the side.

    Of three consecutive frames of a track in which the object is still, with a view's corners
    c₋, c, c₊: the root mean square over the corners of |c₊ - 2c + c₋| / √3, over the mean side
    of c. Slow drift (of the camera, of the object) cancels in the second difference; for errors
    that are independent from frame to frame, √3 makes it the RMS displacement between
    consecutive frames.

    Returns:
        N, at the middle one of three views; NaN elsewhere.
    """
    before, here, after = _triples(views)
    still = _are_still(views, before, here) & _are_still(views, here, after)
    before, here, after = before[still], here[still], after[still]
    corners = views.corners
    bend = corners[after] - 2 * corners[here] + corners[before]
    square = np.square(bend).sum(axis=2).mean(axis=1) / 3
    result = np.full(len(views), np.nan)
    result[here] = np.sqrt(square) / quad_sides_px(corners[here])
    return result


def _triples(views: ViewColumns) -> tuple[Integers, Integers, Integers]:
    """Rows of views of one track in three consecutive frames."""
    keys = (views.frame, views.track_id, views.camera, views.bag, views.model)
    order = np.lexsort(keys)
    same = np.ones(max(0, len(order) - 1), dtype=np.bool_)
    for column in keys[1:]:
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    same &= np.diff(views.frame[order]) == 1
    middle = np.flatnonzero(same[1:] & same[:-1]) + 1
    return order[middle - 1], order[middle], order[middle + 1]


def _are_still(views: ViewColumns, first: Integers, second: Integers) -> Mask:
    boxes = box_corners(views.box)
    still = ~_move(boxes[first], boxes[second])
    return still & ~_move(views.truth[first], views.truth[second])


def _move(first: Floats, second: Floats) -> Mask:
    """Whether a corner moves further than a still one may; no where a corner is unknown."""
    steps = second - first
    furthest = np.hypot(steps[..., 0], steps[..., 1]).max(axis=1)
    return np.asarray(furthest > STILL_SHARE * quad_sides_px(second))
