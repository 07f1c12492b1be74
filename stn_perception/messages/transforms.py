# SPDX-License-Identifier: Apache-2.0
"""Frames for /tf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from stn_perception.geometry import Pose, VirtualCamera
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.poses import quaternion_message, vector3


def transform_stamped(
    factory: MessageFactory,
    header: Any,
    child_frame_id: str,
    rotation: ArrayLike,
    translation: ArrayLike = (0.0, 0.0, 0.0),
) -> Any:
    """A geometry_msgs/TransformStamped, ``parent_from_child``; the header names the parent."""
    return factory.make(
        "geometry_msgs/msg/TransformStamped",
        header=header,
        child_frame_id=child_frame_id,
        transform=factory.make(
            "geometry_msgs/msg/Transform",
            translation=vector3(factory, translation),
            rotation=quaternion_message(factory, rotation),
        ),
    )


def view_transform(
    factory: MessageFactory, header: Any, child_frame_id: str, camera: VirtualCamera
) -> Any:
    """Source optical frame (the header's) → view frame: rotation R″ᵀ and no translation."""
    return transform_stamped(factory, header, child_frame_id, camera.rotation.T)


def object_transform(factory: MessageFactory, header: Any, child_frame_id: str, pose: Pose) -> Any:
    """Source optical frame (the header's) → object frame, of ``optical_from_object``."""
    return transform_stamped(factory, header, child_frame_id, pose.rotation, pose.translation)


def tf_message(factory: MessageFactory, transforms: Sequence[Any]) -> Any:
    """A tf2_msgs/TFMessage."""
    return factory.make("tf2_msgs/msg/TFMessage", transforms=list(transforms))
