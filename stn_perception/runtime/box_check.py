# SPDX-License-Identifier: Apache-2.0
"""Which detected boxes can be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import box_corners, frames_from_crops
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.view_check import ViewRefused
from stn_perception.runtime.view_coverage import are_inside, valid_fractions

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
# How finely a box is looked at makes no difference to whether some of it is seen.
_ANY_SIZE = (64, 64)


def box_refusals(
    boxes: Sequence[AxisAlignedBox | OrientedBox], rows: Matrix, frame_sizes: Matrix
) -> dict[int, ViewRefused]:
    """Why boxes cannot be looked at, by their places: not finite, no area, or outside the frame.

    Args:
        boxes: N boxes, for the sentences.
        rows: The same as numbers, N×5.
        frame_sizes: N×2, width and height of each box's frame in pixels.
    """
    finite: Mask = np.logical_and.reduce(np.isfinite(rows), axis=1)
    has_area: Mask = np.logical_and.reduce(rows[:, 2:4] > 0, axis=1)
    usable = finite & has_area
    if usable.all():
        seen = _are_seen(rows, frame_sizes)
    else:
        seen = np.ones(len(rows), dtype=bool)
        seen[usable] = _are_seen(rows[usable], frame_sizes[usable])
    refusals: dict[int, ViewRefused] = {}
    for place in np.flatnonzero(~(usable & seen)).tolist():
        box = boxes[place]
        if not finite[place]:
            refusal = ViewRefused(DropReason.NOT_FINITE, f"the box {box} is not finite")
        elif not has_area[place]:
            refusal = ViewRefused(DropReason.ZERO_AREA, f"the box {box} has no area")
        else:
            width, height = frame_sizes[place].astype(int)
            refusal = ViewRefused(
                DropReason.OUTSIDE_FRAME,
                f"the box {box} lies outside the frame of {width}×{height}",
            )
        refusals[place] = refusal
    return refusals


def _are_seen(rows: Matrix, frame_sizes: Matrix) -> Mask:
    corners = box_corners(rows)
    seen = are_inside(corners, frame_sizes)
    if not seen.all():
        rest = np.flatnonzero(~seen)
        own = frames_from_crops(rows[rest], 1.0, *_ANY_SIZE, "stretch")
        seen[rest] = valid_fractions(own, corners[rest], *_ANY_SIZE, frame_sizes[rest]) > 0
    return seen
