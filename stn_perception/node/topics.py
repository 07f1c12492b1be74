# SPDX-License-Identifier: Apache-2.0
"""Names of the node's topics, resolved as ROS sees them after remapping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stn_perception.runtime.result_messages import CAMERA_INFO, DEPTH, IMAGE

TF_TOPIC = "/tf"
DIAGNOSTICS_TOPIC = "/diagnostics"


@dataclass(frozen=True)
class InputTopics:
    """Resolved inputs of one camera.

    Attributes:
        image: The image that is subscribed to, raw or compressed.
        camera_info: Beside the raw image.
        detections, depth: As named.
    """

    image: str
    camera_info: str
    detections: str
    depth: str


def input_topics(camera: str, transport: str, resolve: Callable[[str], str]) -> InputTopics:
    """Inputs of one camera.

    The compressed image and the camera_info are derived from the *resolved* image topic, so
    that remapping the image moves them along; each can be remapped again on its own.

    Args:
        camera: Its name, relative to the node's namespace.
        transport: ``raw`` or ``compressed``.
        resolve: Expands and remaps a topic name.
    """
    image = resolve(f"{camera}/image")
    return InputTopics(
        image=image if transport == "raw" else resolve(f"{image}/{transport}"),
        camera_info=resolve(f"{image.rpartition('/')[0]}/camera_info"),
        detections=resolve(f"{camera}/detections"),
        depth=resolve(f"{camera}/depth"),
    )


def output_topic(camera: str, suffix: str, resolve: Callable[[str], str]) -> str:
    """An output of one camera, e.g. ``object_0/image_rect``."""
    return resolve(f"~/{camera}/{suffix}")


def slot_suffixes_of(slot: int, depth: bool = True) -> list[str]:
    """Suffixes of one slot's topics."""
    names = [IMAGE, CAMERA_INFO, DEPTH] if depth else [IMAGE, CAMERA_INFO]
    return [f"object_{slot}/{name}" for name in names]


def slot_suffixes(slots: int, depth: bool) -> list[str]:
    """Suffixes of all slots' topics."""
    return [suffix for slot in range(slots) for suffix in slot_suffixes_of(slot, depth)]
