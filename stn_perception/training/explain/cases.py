# SPDX-License-Identifier: Apache-2.0
"""What a model is looked at with: boxes in frames, their true corners where known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import AxisAlignedBox
from stn_perception.messages.regions import Region
from stn_perception.runtime.frame import Frame

Corners = NDArray[np.float64]


class ExplainError(ValueError):
    """Input that no page can be made of; the message is one sentence."""


@dataclass(frozen=True, eq=False)
class Case:
    """One box in a frame.

    Attributes:
        name: where it comes from, for people.
        frame: the image.
        region: the box.
        corners: true corners, 4×2 pixels of the frame in the order of the upright view's, or
            None where nothing is known.
        class_id: true class; empty where unknown.
        symmetry: number of quarter-turn poses (1, 2 or 4) of this object that look alike; 0: the
            model's.
    """

    name: str
    frame: Frame
    region: Region
    corners: Corners | None = None
    class_id: str = ""
    symmetry: int = 0


@dataclass(frozen=True, eq=False)
class CaseSource:
    """Cases with a sentence on where they are from.

    Attributes:
        sentence: for the page.
        cases: read while they are taken, frame by frame.
    """

    sentence: str
    cases: Iterable[Case]


def box_around(corners: Corners) -> AxisAlignedBox:
    """Return the upright box of true corners, where no detector gave one."""
    return AxisAlignedBox.from_corners(corners)


def true_corners(
    region: Region, objects: Mapping[str, Corners], least_overlap: float = 0.5
) -> Corners | None:
    """Return the corners of a box's object: the one of its id, else the one it overlaps most.

    Args:
        region: the box.
        objects: corners by id.
        least_overlap: intersection over union with the corners' upright box.
    """
    if region.id in objects:
        return objects[region.id]
    best, best_overlap = None, least_overlap
    own = region.box.corners()
    for corners in objects.values():
        overlap = _overlap(own, corners)
        if overlap >= best_overlap:
            best, best_overlap = corners, overlap
    return best


def _overlap(first: Corners, second: Corners) -> float:
    low = np.maximum(first.min(axis=0), second.min(axis=0))
    high = np.minimum(first.max(axis=0), second.max(axis=0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(np.ptp(each, axis=0))) for each in (first, second)]
    return shared / (sum(areas) - shared)
