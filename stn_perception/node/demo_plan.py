# SPDX-License-Identifier: Apache-2.0
"""What the demo plays and expects: the camera in the bag, its topics, the truth beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.recorded_frames import Quad
from stn_perception.geometry.arrays import as_corners

NODE = "/canonicalizer"
SLOTS = 8
_IMAGE_TYPES = {
    "sensor_msgs/msg/Image": ("/image", "raw"),
    "sensor_msgs/msg/CompressedImage": ("/image/compressed", "compressed"),
}


@dataclass(frozen=True)
class CameraInBag:
    """A camera whose recording the node can work on.

    Attributes:
        name: Relative name, such as ``camera``.
        image_topic: Raw or compressed.
        transport: ``raw`` or ``compressed``.
        inputs: All of its topics that the node takes.
        frames: Number of images.
        length_s: Of the bag.
    """

    name: str
    image_topic: str
    transport: str
    inputs: tuple[str, ...]
    frames: int
    length_s: float

    @property
    def outputs(self) -> str:
        """Prefix of the node's topics for this camera."""
        return f"{NODE}/{self.name}"

    def output_topics(self) -> list[str]:
        """What the recorder takes from the node."""
        slots = [
            f"{self.outputs}/object_{slot}/{kind}"
            for slot in range(SLOTS)
            for kind in ("image_rect", "camera_info")
        ]
        return [*slots, f"{self.outputs}/objects", f"{self.outputs}/object_poses", "/tf"]


def camera_in_bag(bag: Path) -> CameraInBag:
    """Find the camera in a bag.

    Raises:
        BagError: The bag cannot be read, or holds no image with boxes.
    """
    with BagReader(bag) as reader:
        topics = reader.topics
        for name, topic in sorted(topics.items()):
            suffix, transport = _IMAGE_TYPES.get(topic.type_name, ("", ""))
            if not suffix or not name.endswith(suffix):
                continue
            camera = name[: -len(suffix)]
            if f"{camera}/detections" in topics:
                wanted = (f"{camera}/camera_info", name, f"{camera}/detections")
                return CameraInBag(
                    camera.lstrip("/"),
                    name,
                    transport,
                    tuple(t for t in wanted if t in topics),
                    topic.message_count,
                    (reader.end_ns - reader.start_ns) / 1e9,
                )
        there = ", ".join(sorted(topics))
    raise BagError(
        f"the bag {bag} has no <camera>/image (or /image/compressed) with <camera>/detections, "
        f"it has {there}."
    )


def truth_beside(bag: Path) -> dict[int, tuple[str, dict[str, Quad]]]:
    """Part and true corners by stamp, from ``truth.json`` in the bag's folder; else empty.

    Raises:
        BagError: The file is there and is not such a list of frames.
    """
    path = bag / "truth.json"
    if not path.is_file():
        return {}
    try:
        return {
            int(frame["stamp_ns"]): (
                str(frame["part"]),
                {name: as_corners(quad) for name, quad in frame["objects"].items()},
            )
            for frame in json.loads(path.read_text(encoding="utf-8"))["frames"]
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BagError(f"{path} does not read as a list of frames with true corners.") from error
