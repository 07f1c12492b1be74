# SPDX-License-Identifier: Apache-2.0
"""Boxes given by parameter, one string each: ``[camera:]class=cx,cy,width,height[,angle]``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.messages.regions import Region

_FORM = "'[camera:]class=center_x,center_y,width,height[,angle_rad]'"


@dataclass(frozen=True)
class FixedRegion:
    """One box that is looked at in every frame.

    Attributes:
        camera: The camera it is for; empty for all.
        region: The box in pixels, (0, 0) at the centre of the first pixel.
    """

    camera: str
    region: Region


def parse_fixed_regions(entries: Sequence[str]) -> tuple[FixedRegion, ...]:
    """Boxes from the ``fixed_regions`` parameter; empty entries are ignored.

    Raises:
        ValueError: An entry is not of the form, or its size is not positive.
    """
    return tuple(_parse(entry, index) for index, entry in enumerate(entries) if entry.strip())


def _parse(entry: str, index: int) -> FixedRegion:
    name, separator, numbers = entry.rpartition("=")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if not separator or len(values) not in (4, 5) or not all(map(math.isfinite, values)):
        raise ValueError(f"fixed_regions has '{entry}', expected {_FORM}")
    if values[2] <= 0 or values[3] <= 0:
        raise ValueError(f"fixed_regions has '{entry}', expected a positive width and height")
    camera, _, class_id = name.rpartition(":")
    box = OrientedBox(*values) if len(values) == 5 else AxisAlignedBox(*values)
    region = Region(box=box, id=f"fixed_{index}", class_id=class_id.strip(), score=1.0)
    return FixedRegion(camera=camera.strip(), region=region)
