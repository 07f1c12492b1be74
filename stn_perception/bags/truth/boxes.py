# SPDX-License-Identifier: Apache-2.0
"""Boxes to look into, made from the truth."""

from __future__ import annotations

from collections.abc import Sequence

from stn_perception.bags.truth.objects import TrueObject
from stn_perception.geometry import AxisAlignedBox
from stn_perception.messages.regions import Region


def regions_of(truths: Sequence[TrueObject], margin: float = 1.0) -> tuple[Region, ...]:
    """The upright bounding box of each true object, with its id and class.

    Args:
        truths: A frame's true objects.
        margin: Multiplies the box's size about its centre (1 = the bounding box itself).

    Raises:
        ValueError: The margin is not positive.
    """
    if not margin > 0:
        raise ValueError(f"margin is {margin}, expected a positive factor of the box's size")
    regions = []
    for truth in truths:
        box = AxisAlignedBox.from_corners(truth.corners)
        grown = AxisAlignedBox(box.center_x, box.center_y, box.width * margin, box.height * margin)
        regions.append(Region(grown, truth.id, truth.class_id))
    return tuple(regions)
