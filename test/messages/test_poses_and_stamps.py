# SPDX-License-Identifier: Apache-2.0
"""Claims about poses, transforms and stamps."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    PinholeIntrinsics,
    Pose,
    VirtualCamera,
    homography_from_corners,
    rotation_from_vector,
    view_corners,
    virtual_camera,
)
from stn_perception.messages import (
    DropReason,
    MessageError,
    NamespaceFactory,
    header,
    matrix_from_quaternion,
    object_transform,
    pose_array,
    pose_with_covariance,
    quaternion_from_matrix,
    stamp_ns,
    tf_message,
    time_fields,
    view_transform,
)

STAMP = 1_700_000_000_123_456_789
P = np.array([[300.0, 0, 150, -30], [0, 300, 110, 0], [0, 0, 1, 0]])
QUAD = np.array([[100.0, 90], [180, 100], [170, 180], [95, 165]])


def view_camera() -> VirtualCamera:
    view_from_frame = homography_from_corners(view_corners(120, 80), QUAD)
    return virtual_camera(view_from_frame, PinholeIntrinsics(P[:, :3], P[:, 3]), 120, 80)


def some_pose() -> Pose:
    return Pose(rotation_from_vector([0.3, -0.8, 2.0]), np.array([0.1, -0.2, 1.5]))


def test_a_pose_without_covariance_has_it_all_zero(factory: Any, head: Any) -> None:
    assert not np.array(pose_with_covariance(factory, some_pose()).covariance).any()
    message = pose_array(factory, head, [some_pose(), Pose(np.eye(3), np.ones(3))])
    assert message.header.frame_id == "camera_optical"
    assert [pose.position.z for pose in message.poses] == [1.5, 1]


def test_the_view_frame_turns_as_the_virtual_camera_does(factory: Any, head: Any) -> None:
    camera = view_camera()
    message = tf_message(
        factory,
        [
            view_transform(factory, head, "view", camera),
            object_transform(factory, head, "object", some_pose()),
        ],
    )
    view, thing = message.transforms
    assert (view.header.frame_id, view.child_frame_id) == ("camera_optical", "view")
    rotation = view.transform.rotation
    found = matrix_from_quaternion([rotation.x, rotation.y, rotation.z, rotation.w])
    np.testing.assert_allclose(found, camera.rotation.T, atol=1e-12)
    shift = view.transform.translation
    assert (shift.x, shift.y, shift.z) == (0, 0, 0)
    assert thing.transform.translation.z == 1.5
    # A point that the view sees in its own frame lies, by TF, where the source camera has it.
    point = np.array([0.1, 0.2, 1.0])
    np.testing.assert_allclose(found @ (camera.rotation @ point), point, atol=1e-12)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 1e-2)
)
def test_quaternions_and_matrices_agree(numbers: list[float]) -> None:
    quaternion = np.array(numbers) / np.linalg.norm(numbers)
    matrix = matrix_from_quaternion(numbers)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)
    found = quaternion_from_matrix(matrix)
    assert abs(found @ quaternion) == pytest.approx(1, abs=1e-12)
    assert found[3] >= 0


def test_a_quarter_turn_about_z_takes_x_to_y() -> None:
    half = math.sqrt(0.5)
    np.testing.assert_allclose(
        matrix_from_quaternion([0, 0, half, half]) @ [1, 0, 0], [0, 1, 0], atol=1e-12
    )
    np.testing.assert_allclose(
        quaternion_from_matrix(rotation_from_vector([0, 0, math.pi / 2])), [0, 0, half, half]
    )
    with pytest.raises(ValueError, match="quaternion"):
        matrix_from_quaternion([0, 0, 0, 0])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31 * 10**9 - 1))
def test_a_stamp_is_kept_to_the_nanosecond(stamp: int) -> None:
    plain = NamespaceFactory()
    assert stamp_ns(header(plain, stamp, "")) == stamp
    sec, nanosec = time_fields(stamp)
    assert 0 <= nanosec < 10**9
    assert sec * 10**9 + nanosec == stamp


def test_a_stamp_is_read_from_time_header_and_message(factory: Any, head: Any) -> None:
    assert (
        stamp_ns(head) == stamp_ns(head.stamp) == stamp_ns(SimpleNamespace(header=head)) == STAMP
    )


def test_reasons_are_lower_snake_and_errors_carry_theirs() -> None:
    for reason in DropReason:
        assert str(reason) == reason.value == reason.name.lower()
    assert MessageError(DropReason.BAD_STEP, "step is 3").reason == "bad_step"
