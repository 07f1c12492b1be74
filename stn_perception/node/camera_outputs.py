# SPDX-License-Identifier: Apache-2.0
"""The publishers of one camera, and who listens to them."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from stn_perception.node.message_factory import message_class, missing_message_type
from stn_perception.node.qos import create_publisher, result_qos, unmatched_subscriber
from stn_perception.node.topics import output_topic, slot_suffixes, slot_suffixes_of

_SMALL_DEPTH = 10
_LARGE_DEPTH = 2  # an overlay has the frame's size
_TYPES = {
    "image_rect": "sensor_msgs/msg/Image",
    "depth_rect": "sensor_msgs/msg/Image",
    "camera_info": "sensor_msgs/msg/CameraInfo",
    "objects": "vision_msgs/msg/Detection2DArray",
    "object_poses": "geometry_msgs/msg/PoseArray",
    "mosaic": "sensor_msgs/msg/Image",
    "overlay": "sensor_msgs/msg/Image",
}
_WHOLE_FRAME = ("objects", "object_poses", "mosaic", "overlay")


def output_suffixes(slots: int, depth: bool) -> dict[str, str]:
    """Message types of all outputs of a camera, by the topic's part after ``~/<camera>/``."""
    suffixes = [*slot_suffixes(slots, depth), *_WHOLE_FRAME]
    return {suffix: _TYPES[suffix.rpartition("/")[2]] for suffix in suffixes}


class CameraOutputs:
    """Publishers by topic suffix. Types that are not installed are left out.

    Args:
        node: The rclpy node.
        camera: Name of the camera.
        slots: Number of slots.
        depth: Whether slots have a depth view.
    """

    def __init__(self, node: Any, camera: str, slots: int, depth: bool) -> None:
        self._node = node
        self._slots = slots
        self._publishers = {
            suffix: create_publisher(
                node,
                message_class(type_name),
                output_topic(camera, suffix, node.resolve_topic_name),
                result_qos(_LARGE_DEPTH if suffix in ("mosaic", "overlay") else _SMALL_DEPTH),
            )
            for suffix, type_name in output_suffixes(slots, depth).items()
            if not missing_message_type(type_name)
        }

    def watched(self) -> set[str]:
        """Suffixes that somebody subscribes to at this moment."""
        return {
            suffix
            for suffix, publisher in self._publishers.items()
            if publisher.get_subscription_count() > 0
        }

    def wanted_slots(self, watched: Set[str]) -> set[int]:
        """Slots that somebody looks at; the mosaic shows them all."""
        if "mosaic" in watched:
            return set(range(self._slots))
        return {slot for slot in range(self._slots) if watched & set(slot_suffixes_of(slot))}

    def publish(self, suffix: str, message: bytes) -> None:
        """Publish a serialized message on the topic with this suffix."""
        self._publishers[suffix].publish(message)

    def misfits(self) -> list[str]:
        """One sentence for each topic with a subscriber whose quality of service does not fit."""
        found = (unmatched_subscriber(self._node, each) for each in self._publishers.values())
        return [sentence for sentence in found if sentence]

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._publishers = {}
