# SPDX-License-Identifier: Apache-2.0
"""Boxes of a detections topic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from stn_perception.geometry import AxisAlignedBox, OrientedBox
from stn_perception.messages.objects import EXTRA_HYPOTHESES
from stn_perception.messages.outcomes import DropReason, MessageError

BoxOrigin = Literal["center", "edge"]


@dataclass(frozen=True)
class Region:
    """A box to look into, in pixel-centre coordinates; ``id`` is the upstream detection's."""

    box: AxisAlignedBox | OrientedBox
    id: str = ""
    class_id: str = ""
    score: float = 1.0


@dataclass(frozen=True)
class RejectedRegion:
    """A detection that is no box: where it stood in the message, why, and in a sentence."""

    index: int
    id: str
    reason: DropReason
    message: str


def regions_from_detections(
    message: Any, box_origin: BoxOrigin = "center", *, max_boxes: int | None = None
) -> tuple[Region | RejectedRegion, ...]:
    """The boxes of a vision_msgs/Detection2DArray (4.x), one result per detection, in order.

    ``box_origin`` says what the detector counts from: ``center``, pixel (0, 0) is the centre of
    the first pixel; ``edge``, 0 is its left edge (YOLO and kin), half a pixel is taken off. The
    angle is positive from +x towards +y; an angle of 0 gives an AxisAlignedBox. Class and score
    are those of the best hypothesis. Boxes that are not finite or have no area are rejected, and
    those after the first ``max_boxes``.
    """
    if box_origin not in ("center", "edge"):
        raise ValueError(f"box_origin is {box_origin!r}, expected 'center' or 'edge'")
    shift = 0.5 if box_origin == "edge" else 0.0
    results: list[Region | RejectedRegion] = []
    for index, detection in enumerate(message.detections):
        if max_boxes is not None and index >= max_boxes:
            reason = DropReason.TOO_MANY_BOXES
            text = f"detection {index} is beyond the limit of {max_boxes} boxes"
            results.append(RejectedRegion(index, "", reason, text))
            continue
        try:
            results.append(_region(detection, shift))
        except MessageError as error:
            text = f"detection {index}: {error}"
            results.append(RejectedRegion(index, str(detection.id), error.reason, text))
    return tuple(results)


def _region(detection: Any, shift: float) -> Region:
    bbox = detection.bbox
    x, y = float(bbox.center.position.x), float(bbox.center.position.y)
    angle, width, height = float(bbox.center.theta), float(bbox.size_x), float(bbox.size_y)
    if not all(map(math.isfinite, (x, y, angle, width, height))):
        raise MessageError(
            DropReason.NOT_FINITE,
            f"the box (x {x}, y {y}, size {width} × {height}, angle {angle}) is not finite",
        )
    if width <= 0 or height <= 0:
        raise MessageError(DropReason.ZERO_AREA, f"the box is {width} × {height}: it has no area")
    class_id, score = _best_hypothesis(detection.results)
    if not math.isfinite(score):
        raise MessageError(DropReason.NOT_FINITE, f"the score of class {class_id!r} is {score}")
    center = x - shift, y - shift
    box: AxisAlignedBox | OrientedBox = (
        AxisAlignedBox(*center, width, height)
        if angle == 0
        else OrientedBox(*center, width, height, angle)
    )
    return Region(box, str(detection.id), class_id, score)


def _best_hypothesis(results: Any) -> tuple[str, float]:
    best: tuple[str, float] | None = None
    for result in results:
        hypothesis = result.hypothesis
        name, score = str(hypothesis.class_id), float(hypothesis.score)
        if name not in EXTRA_HYPOTHESES and (best is None or score > best[1]):
            best = name, score
    return best if best is not None else ("", 1.0)
