# SPDX-License-Identifier: Apache-2.0
"""Detections out: the oriented box of each view in the source image, with its pose.

Boxes are in pixel-centre coordinates (pixel (0, 0) is a centre) and angles positive from +x
towards +y.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from stn_perception.geometry import AxisAlignedBox, OrientedBox, PlanarPoseEstimate
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.poses import pose_with_covariance

EXTRA_HYPOTHESES = ("slot", "valid_fraction", "corner_sigma_px", "is_uncertain")
"""Class names of the hypotheses whose score is a number about the view, not a likelihood."""

NO_SLOT = -1.0


def detection(
    factory: MessageFactory,
    header: Any,
    box: OrientedBox | AxisAlignedBox,
    *,
    id: str = "",
    class_id: str = "",
    score: float = 1.0,
    pose: PlanarPoseEstimate | None = None,
    slot: int | None = None,
    valid_fraction: float = 1.0,
    corner_sigma_px: float | None = None,
    is_uncertain: bool = False,
) -> Any:
    """A vision_msgs/Detection2D (4.x) of one object.

    ``results[0]`` holds class, score and pose (see :func:`pose_with_covariance` for one that is
    not known); four more hypotheses carry ``slot`` (-1: none), ``valid_fraction``,
    ``corner_sigma_px`` (NaN: not known) and ``is_uncertain`` (1: marked, 0: not) as scores.
    """
    known = pose if pose is not None and pose.translation_known else None
    nowhere = pose_with_covariance(factory, None)
    numbers = (
        NO_SLOT if slot is None else float(slot),
        float(valid_fraction),
        math.nan if corner_sigma_px is None else float(corner_sigma_px),
        float(is_uncertain),
    )
    results = [
        _hypothesis(
            factory,
            class_id,
            score,
            nowhere
            if known is None
            else pose_with_covariance(factory, known.pose, known.covariance),
        )
    ]
    for name, number in zip(EXTRA_HYPOTHESES, numbers, strict=True):
        results.append(_hypothesis(factory, name, number, nowhere))
    return factory.make(
        "vision_msgs/msg/Detection2D",
        header=header,
        results=results,
        bbox=bounding_box(factory, box),
        id=id,
    )


def bounding_box(factory: MessageFactory, box: OrientedBox | AxisAlignedBox) -> Any:
    """A vision_msgs/BoundingBox2D: centre, angle and size."""
    return factory.make(
        "vision_msgs/msg/BoundingBox2D",
        center=factory.make(
            "vision_msgs/msg/Pose2D",
            position=factory.make(
                "vision_msgs/msg/Point2D", x=float(box.center_x), y=float(box.center_y)
            ),
            theta=float(box.angle_rad),
        ),
        size_x=float(box.width),
        size_y=float(box.height),
    )


def detection_array(factory: MessageFactory, header: Any, detections: Sequence[Any]) -> Any:
    """A vision_msgs/Detection2DArray; an empty one says that there is no object."""
    return factory.make(
        "vision_msgs/msg/Detection2DArray", header=header, detections=list(detections)
    )


def hypothesis_score(message: Any, name: str) -> float | None:
    """The score of the hypothesis called ``name`` in a Detection2D, None where it has none."""
    for result in message.results:
        if result.hypothesis.class_id == name:
            return float(result.hypothesis.score)
    return None


def _hypothesis(factory: MessageFactory, class_id: str, score: float, pose: Any) -> Any:
    return factory.make(
        "vision_msgs/msg/ObjectHypothesisWithPose",
        hypothesis=factory.make(
            "vision_msgs/msg/ObjectHypothesis", class_id=class_id, score=float(score)
        ),
        pose=pose,
    )
