# SPDX-License-Identifier: Apache-2.0
"""True objects of messages that list fiducials by their four corners.

Read is every message type with a header and a list whose elements have an ``id`` and ``corners``:
four points with ``x`` and ``y``, or eight numbers x, y, x, y ...

Conventions differ. ``apriltag_msgs`` hands on what the AprilTag library found: the corners of the
upright tag counter-clockwise from the bottom left (``apriltag_detection_t.p`` in its apriltag.h;
AprilRobotics/apriltag, issue 21 for the first), in pixels that count edges from 0. ArUco's are
clockwise from the top left, in pixels that count centres from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stn_perception.bags.truth.objects import TrueObject
from stn_perception.bags.truth.options import CornerOrder
from stn_perception.geometry import FloatArray, is_convex_clockwise
from stn_perception.messages.regions import BoxOrigin

_APRILTAG_PACKAGE = "apriltag_msgs"
_PLACES: Mapping[CornerOrder, tuple[int, ...]] = {
    # Where top-left, top-right, bottom-right and bottom-left stand.
    "apriltag": (3, 2, 1, 0),
    "clockwise": (0, 1, 2, 3),
}


@dataclass(frozen=True)
class CornerList:
    """How to read a message type that lists corners.

    Attributes:
        field: The message's field with the list.
        order: Of each element's corners.
        origin: What its pixels count from.
    """

    field: str
    order: CornerOrder
    origin: BoxOrigin

    def elements(self, message: Any) -> list[Any]:
        """The listed fiducials."""
        return list(getattr(message, self.field))

    def true_object(self, element: Any) -> TrueObject:
        """A fiducial as a true object; a number as its id becomes ``tag_<number>``.

        Raises:
            ValueError: The corners are no outline of something seen from its front.
        """
        number = element.id
        name = number if isinstance(number, str) else f"tag_{int(number)}"
        given = _points(element.corners)
        corners = given[list(_PLACES[self.order])] - (0.5 if self.origin == "edge" else 0.0)
        if not is_convex_clockwise(corners):
            raise ValueError(
                f"'{name}' has the corners {given.tolist()}, which are no convex outline in the "
                f"order '{self.order}'; the option corner_order names another"
            )
        class_id = getattr(element, "class_id", getattr(element, "family", ""))
        return TrueObject(name, str(class_id), corners)


def corner_list(
    fields: Mapping[str, Any],
    type_name: str,
    order: CornerOrder | None = None,
    origin: BoxOrigin | None = None,
) -> CornerList | None:
    """How to read a type, None where it lists no corners.

    Args:
        fields: Definitions by type, as a rosbags type store has them (``fielddefs``).
        type_name: The type of the message.
        order: Of the corners; the type's own habit when left out.
        origin: Of the pixels; the type's own habit when left out.
    """
    is_apriltag = type_name.split("/")[0] == _APRILTAG_PACKAGE
    own_order: CornerOrder = "apriltag" if is_apriltag else "clockwise"
    own_origin: BoxOrigin = "edge" if is_apriltag else "center"
    for name, kind in fields[type_name][1]:
        element = fields.get(_element_type(kind), ((), ()))
        if {"id", "corners"} <= {field for field, _ in element[1]}:
            return CornerList(name, order or own_order, origin or own_origin)
    return None


def _element_type(kind: Any) -> str:
    """The message type that a field is a list of, from rosbags' description; empty for none."""
    _, detail = kind
    inner = detail[0]
    return inner[1] if isinstance(inner, tuple) and isinstance(inner[1], str) else ""


def _points(corners: Any) -> FloatArray:
    listed = list(corners)
    if len(listed) == 4:
        listed = [number for point in listed for number in (point.x, point.y)]
    if len(listed) != 8:
        raise ValueError(f"a fiducial has {len(listed)} corner values, expected four points")
    return np.array(listed, dtype=np.float64).reshape(4, 2)
