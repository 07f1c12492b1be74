# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording to train from."""

from __future__ import annotations

from collections.abc import Mapping

from stn_perception.bags import BagTopic
from stn_perception.training.own_bag.config import FULL_FRAME
from stn_perception.training.own_bag.errors import OwnBagError

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
DETECTIONS_TYPE = "vision_msgs/msg/Detection2DArray"


def image_topic(topics: Mapping[str, BagTopic], wanted: str, bag: str) -> str:
    """Return the image topic to read.

    Args:
        topics: of the bag, by name.
        wanted: name asked for; empty where the bag has one alone.
        bag: what the messages call the bag.

    Raises:
        OwnBagError: it is absent, no image topic, or there are several and none is named.
    """
    images = sorted(
        name
        for name, topic in topics.items()
        if topic.type_name in IMAGE_TYPES and topic.message_count > 0 and not _is_depth(name)
    )
    if wanted:
        _check_there(topics, wanted, bag)
        if topics[wanted].type_name not in IMAGE_TYPES:
            raise OwnBagError(
                f"{wanted} in {bag} holds {topics[wanted].type_name}, expected images "
                f"({_listed(images)})"
            )
        if topics[wanted].message_count == 0:
            raise OwnBagError(f"{wanted} in {bag} holds no message")
        return wanted
    if not images:
        raise OwnBagError(f"{bag} holds no images, it has {_listed(sorted(topics))}")
    if len(images) > 1:
        raise OwnBagError(f"{bag} has several image topics, name one of {_listed(images)}")
    return images[0]


def detections_topic(topics: Mapping[str, BagTopic], wanted: str, bag: str) -> str:
    """Return the topic of the boxes; empty where the whole frame is to be taken.

    Args:
        topics: of the bag, by name.
        wanted: name asked for, ``full_frame``, or empty for the bag's only one if it has any.
        bag: what the messages call the bag.

    Raises:
        OwnBagError: it is absent, no detections topic, or there are several and none is named.
    """
    if wanted == FULL_FRAME:
        return ""
    boxes = sorted(
        name
        for name, topic in topics.items()
        if topic.type_name == DETECTIONS_TYPE and topic.message_count > 0
    )
    if wanted:
        _check_there(topics, wanted, bag)
        if topics[wanted].type_name != DETECTIONS_TYPE:
            raise OwnBagError(
                f"{wanted} in {bag} holds {topics[wanted].type_name}, expected {DETECTIONS_TYPE}"
            )
        return wanted
    if len(boxes) > 1:
        raise OwnBagError(
            f"{bag} has several detections topics, name one of {_listed(boxes)} or {FULL_FRAME}"
        )
    return boxes[0] if boxes else ""


def _is_depth(name: str) -> bool:
    return "compressedDepth" in name


def _check_there(topics: Mapping[str, BagTopic], wanted: str, bag: str) -> None:
    if wanted not in topics:
        raise OwnBagError(f"{bag} has no topic {wanted}, it has {_listed(sorted(topics))}")


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
