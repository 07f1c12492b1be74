# SPDX-License-Identifier: Apache-2.0
"""Claims about detections, in and out."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stn_perception.geometry import (
    AxisAlignedBox,
    OrientedBox,
    PlanarPoseEstimate,
    Pose,
    rotation_from_vector,
    view_corners,
)
from stn_perception.messages import (
    UNKNOWN_POSE_VARIANCE,
    DropReason,
    NamespaceFactory,
    Region,
    RejectedRegion,
    detection,
    detection_array,
    hypothesis_score,
    pose_from_message,
    regions_from_detections,
)

BOXES: list[AxisAlignedBox | OrientedBox] = [
    AxisAlignedBox(10, 20, 30, 40),
    OrientedBox(11.5, 21, 31, 41, 0.7),
    OrientedBox(1, 2, 3, 4, -2.5),
]


@pytest.mark.parametrize("box", BOXES)
def test_a_box_survives_the_message_with_sign_and_order(
    factory: Any, head: Any, box: AxisAlignedBox | OrientedBox
) -> None:
    message = detection_array(
        factory, head, [detection(factory, head, box, id="7", class_id="sign", score=0.75)]
    )
    (region,) = regions_from_detections(message)
    assert region == Region(box, "7", "sign", 0.75)
    bbox = message.detections[0].bbox
    assert (bbox.center.position.x, bbox.center.theta) == (box.center_x, box.angle_rad)
    assert (bbox.size_x, bbox.size_y) == (box.width, box.height)


@pytest.mark.parametrize("box", BOXES)
def test_boxes_that_count_edges_lose_half_a_pixel(
    factory: Any, head: Any, box: AxisAlignedBox | OrientedBox
) -> None:
    message = detection_array(factory, head, [detection(factory, head, box)])
    (region,) = regions_from_detections(message, "edge")
    assert isinstance(region, Region)
    np.testing.assert_allclose(region.box.corners(), box.corners() - 0.5)
    with pytest.raises(ValueError, match="box_origin"):
        regions_from_detections(message, "corner")  # type: ignore[arg-type]


def test_a_whole_image_counted_from_edges_is_the_whole_image() -> None:
    plain = NamespaceFactory()
    box = AxisAlignedBox(160, 120, 320, 240)
    message = detection_array(plain, None, [detection(plain, None, box)])
    (region,) = regions_from_detections(message, "edge")
    assert isinstance(region, Region)
    np.testing.assert_allclose(region.box.corners(), view_corners(320, 240))


def test_bad_boxes_are_rejected_one_by_one_in_order() -> None:
    plain = NamespaceFactory()
    boxes: list[AxisAlignedBox | OrientedBox] = [
        AxisAlignedBox(1, 2, 3, 4),
        AxisAlignedBox(math.nan, 2, 3, 4),
        AxisAlignedBox(1, 2, 0, 4),
        AxisAlignedBox(1, 2, 3, -4),
        AxisAlignedBox(1, 2, math.inf, 4),
        OrientedBox(1, 2, 3, 4, math.nan),
        AxisAlignedBox(5, 6, 7, 8),
    ]
    detections = [detection(plain, None, box, id=str(i)) for i, box in enumerate(boxes)]
    results = regions_from_detections(detection_array(plain, None, detections))
    assert [isinstance(result, Region) for result in results] == [
        True, False, False, False, False, False, True,
    ]  # fmt: skip
    rejected = [result for result in results if isinstance(result, RejectedRegion)]
    assert [result.reason for result in rejected] == [
        DropReason.NOT_FINITE,
        DropReason.ZERO_AREA,
        DropReason.ZERO_AREA,
        DropReason.NOT_FINITE,
        DropReason.NOT_FINITE,
    ]
    assert [result.index for result in rejected] == [1, 2, 3, 4, 5]
    assert [result.id for result in rejected] == ["1", "2", "3", "4", "5"]
    assert "no area" in rejected[1].message


def test_boxes_beyond_the_limit_are_counted_not_read() -> None:
    plain = NamespaceFactory()
    good = detection(plain, None, AxisAlignedBox(1, 2, 3, 4))
    message = SimpleNamespace(detections=[good, good] + [SimpleNamespace()] * 9_998)
    results = regions_from_detections(message, max_boxes=2)
    assert len(results) == 10_000
    assert {result.reason for result in results[2:]} == {DropReason.TOO_MANY_BOXES}  # type: ignore[union-attr]


def test_the_best_hypothesis_counts_and_a_box_may_have_none() -> None:
    plain = NamespaceFactory()
    message = detection(plain, None, AxisAlignedBox(1, 2, 3, 4), slot=5, valid_fraction=0.9)
    for class_id, score in (("dog", 0.2), ("cat", 0.7), ("cow", 0.1)):
        message.results.append(
            SimpleNamespace(hypothesis=SimpleNamespace(class_id=class_id, score=score))
        )
    del message.results[0]
    (region,) = regions_from_detections(detection_array(plain, None, [message]))
    assert isinstance(region, Region)
    assert (region.class_id, region.score) == ("cat", 0.7)
    message.results = []
    (region,) = regions_from_detections(detection_array(plain, None, [message]))
    assert isinstance(region, Region)
    assert (region.class_id, region.score) == ("", 1.0)


def some_pose() -> Pose:
    return Pose(rotation_from_vector([0.3, -0.8, 2.0]), np.array([0.1, -0.2, 1.5]))


def test_a_detection_carries_pose_covariance_slot_and_quality(factory: Any, head: Any) -> None:
    covariance = np.arange(36.0).reshape(6, 6)
    estimate = PlanarPoseEstimate(some_pose(), None, np.inf, covariance, True, "size")
    message = detection(
        factory,
        head,
        BOXES[1],
        class_id="tag",
        score=0.5,
        pose=estimate,
        slot=3,
        valid_fraction=0.8,
        corner_sigma_px=1.25,
        is_uncertain=True,
    )
    best = message.results[0]
    assert (best.hypothesis.class_id, best.hypothesis.score) == ("tag", 0.5)
    np.testing.assert_allclose(pose_from_message(best.pose.pose).matrix(), some_pose().matrix())
    np.testing.assert_array_equal(np.array(best.pose.covariance), covariance.ravel())
    assert [hypothesis_score(message, name) for name in ("slot", "valid_fraction")] == [3, 0.8]
    assert hypothesis_score(message, "corner_sigma_px") == 1.25
    assert hypothesis_score(message, "is_uncertain") == 1
    assert hypothesis_score(message, "mood") is None


@pytest.mark.parametrize(
    "pose",
    [
        None,
        PlanarPoseEstimate(
            Pose(np.eye(3), np.full(3, np.nan)), None, np.inf, None, False, "orientation"
        ),
    ],
)
def test_a_detection_without_a_position_says_so(
    factory: Any, head: Any, pose: PlanarPoseEstimate | None
) -> None:
    message = detection(factory, head, BOXES[0], pose=pose)
    for result in message.results:
        assert result.pose.covariance[0] == UNKNOWN_POSE_VARIANCE
        assert result.pose.pose.orientation.w == 1
    assert hypothesis_score(message, "slot") == -1
    assert math.isnan(hypothesis_score(message, "corner_sigma_px") or 0)
    assert hypothesis_score(message, "is_uncertain") == 0
