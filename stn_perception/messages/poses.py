# SPDX-License-Identifier: Apache-2.0
"""Poses as geometry_msgs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry import FloatArray, Pose
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.quaternions import matrix_from_quaternion, quaternion_from_matrix

UNKNOWN_POSE_VARIANCE = -1.0
"""covariance[0] of a pose that is not known (as sensor_msgs/Imu marks what is absent)."""


def vector3(factory: MessageFactory, values: ArrayLike) -> Any:
    """A geometry_msgs/Vector3 of (3,)."""
    x, y, z = np.asarray(values, dtype=np.float64).tolist()
    return factory.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z)


def quaternion_message(factory: MessageFactory, rotation: ArrayLike) -> Any:
    """A geometry_msgs/Quaternion of a 3×3 rotation."""
    x, y, z, w = quaternion_from_matrix(rotation).tolist()
    return factory.make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)


def pose_message(factory: MessageFactory, pose: Pose) -> Any:
    """A geometry_msgs/Pose of ``optical_from_object``."""
    x, y, z = np.asarray(pose.translation, dtype=np.float64).tolist()
    return factory.make(
        "geometry_msgs/msg/Pose",
        position=factory.make("geometry_msgs/msg/Point", x=x, y=y, z=z),
        orientation=quaternion_message(factory, pose.rotation),
    )


def pose_from_message(message: Any) -> Pose:
    """The pose of a geometry_msgs/Pose."""
    position, turn = message.position, message.orientation
    rotation = matrix_from_quaternion([turn.x, turn.y, turn.z, turn.w])
    return Pose(rotation, np.array([position.x, position.y, position.z], dtype=np.float64))


def pose_with_covariance(
    factory: MessageFactory, pose: Pose | None, covariance: FloatArray | None = None
) -> Any:
    """A geometry_msgs/PoseWithCovariance; 6×6 in x, y, z, then rotation about fixed x, y, z.

    A pose without a covariance has it all zero (the message's own rule). No pose at all is the
    identity with covariance[0] = UNKNOWN_POSE_VARIANCE.
    """
    if pose is None:
        return _unknown_pose(factory)
    flat = np.zeros(36) if covariance is None else np.asarray(covariance, dtype=np.float64)
    return factory.make(
        "geometry_msgs/msg/PoseWithCovariance",
        pose=pose_message(factory, pose),
        covariance=factory.floats64(flat.reshape(36)),
    )


def _unknown_pose(factory: MessageFactory) -> Any:
    """Five of these go with every object: they are made without arithmetic."""
    flat = np.zeros(36)
    flat[0] = UNKNOWN_POSE_VARIANCE
    return factory.make(
        "geometry_msgs/msg/PoseWithCovariance",
        pose=factory.make(
            "geometry_msgs/msg/Pose",
            position=factory.make("geometry_msgs/msg/Point", x=0.0, y=0.0, z=0.0),
            orientation=factory.make("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
        ),
        covariance=factory.floats64(flat),
    )


def pose_array(factory: MessageFactory, header: Any, poses: Sequence[Pose]) -> Any:
    """A geometry_msgs/PoseArray."""
    return factory.make(
        "geometry_msgs/msg/PoseArray",
        header=header,
        poses=[pose_message(factory, pose) for pose in poses],
    )
