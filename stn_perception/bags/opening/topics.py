# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording belong to a camera: by the rule of their names, else by type.

A camera's topics are named ``<camera>/image`` (or another name beside it, such as ``image_raw``),
``<camera>/image/compressed``, ``<camera>/camera_info``, ``<camera>/detections`` and
``<camera>/depth``. A topic that breaks the rule is taken by its type where there is exactly one.
Nothing is guessed: where several fit, one sentence lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.depth_topics import depth_topics
from stn_perception.bags.reader import BagReader, BagTopic

IMAGE_TYPE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE_TYPE = "sensor_msgs/msg/CompressedImage"
IMAGE_TYPES = (IMAGE_TYPE, COMPRESSED_IMAGE_TYPE)
CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"
DETECTIONS_TYPE = "vision_msgs/msg/Detection2DArray"
# What `image_transport` appends to the raw image's topic.
_COMPRESSED = "/compressed"


@dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera.

    Attributes:
        camera: Its name, such as ``front`` or ``robot/front``, without a leading slash.
        image: The image that is read, raw where both forms were recorded.
        compressed: Whether ``image`` holds ``CompressedImage``.
        camera_info, detections, depth: None where the recording has none.
    """

    camera: str
    image: str
    compressed: bool
    camera_info: str | None = None
    detections: str | None = None
    depth: str | None = None


def image_topics(reader: BagReader) -> list[BagTopic]:
    """Return the topics with pictures, by name, without empty ones.

    Topics in an encoding of depth, told by their first message, are left out beside others; where
    there is nothing else they count as pictures, as those of a thermal camera are.

    Raises:
        BagError: The recording is damaged where it was looked at.
    """
    filled = list(_filled(reader.topics, IMAGE_TYPES).values())
    depth = depth_topics(reader, IMAGE_TYPES)
    return [topic for topic in filled if topic.name not in depth] or filled


def camera_topics(
    reader: BagReader, image_topic: str | None = None, detections: str | None = None
) -> CameraTopics:
    """Return the topics of one camera.

    Args:
        reader: An open recording.
        image_topic: The camera's image, raw or compressed; the recording's only one when left
            out.
        detections: The topic of the boxes; by name or type when left out, none when empty.

    Raises:
        BagError: There is no image, there are several and none is named, or a named topic is
            absent, empty or of another type.
    """
    topics, bag = reader.topics, f"the bag {reader.path}"
    pictures = [topic.name for topic in image_topics(reader)]
    image = chosen_image_topic(topics, image_topic or "", bag, pictures)
    camera = camera_name(image)
    neighbours = {_namespace(name) for name in pictures} - {_namespace(image)}
    if detections is None:
        boxes = _beside(topics, image, "detections", DETECTIONS_TYPE)
        boxes = boxes or _only(topics, DETECTIONS_TYPE, neighbours, "detections", bag)
    else:
        boxes = chosen_detections_topic(topics, detections, bag) if detections else None
    info = _beside(topics, image, "camera_info", CAMERA_INFO_TYPE)
    return CameraTopics(
        camera=camera,
        image=image,
        compressed=topics[image].type_name == COMPRESSED_IMAGE_TYPE,
        camera_info=info or _only(topics, CAMERA_INFO_TYPE, neighbours),
        detections=boxes,
        depth=_beside(topics, image, "depth", IMAGE_TYPE),
    )


def camera_name(image_topic: str) -> str:
    """Return the name of the camera whose image this is: what stands before its last part.

    Args:
        image_topic: For example ``/front/image_raw/compressed``, of the camera ``front``; an
            image without a namespace gives its camera its own name.
    """
    return (_namespace(image_topic) or raw_name(image_topic)).strip("/")


def raw_name(image_topic: str) -> str:
    """Return the topic of the raw image of which this one may be the compressed form."""
    return image_topic.removesuffix(_COMPRESSED) or image_topic


def chosen_image_topic(
    topics: Mapping[str, BagTopic], wanted: str, bag: str, pictures: Collection[str] | None = None
) -> str:
    """Return the image topic to read.

    Args:
        topics: Of the bag, by name.
        wanted: Name asked for; empty where the bag has one alone.
        bag: What the messages call the bag.
        pictures: The topics that hold pictures; every filled image topic when left out, but for
            those that ``image_transport`` names as depth.

    Raises:
        BagError: It is absent, empty, no image topic, or there are several and none is named.
    """
    if pictures is None:
        filled = _filled(topics, IMAGE_TYPES)
        pictures = [name for name in filled if "compressedDepth" not in name]
    choice = sorted(n for n in pictures if raw_name(n) == n or raw_name(n) not in pictures)
    if wanted:
        check_topic(topics, wanted, IMAGE_TYPES, bag, f"images ({_listed(choice)})")
        if topics[wanted].message_count == 0:
            raise BagError(f"{wanted} in {bag} holds no message.")
        return wanted
    if not choice:
        raise BagError(f"{bag} holds no images, it has {_listed(sorted(topics))}.")
    if len(choice) > 1:
        raise BagError(f"{bag} has several image topics, name one of {_listed(choice)}.")
    return choice[0]


def chosen_detections_topic(
    topics: Mapping[str, BagTopic], wanted: str, bag: str, or_else: str = ""
) -> str:
    """Return the topic of the boxes; empty where the bag has none.

    Args:
        topics: Of the bag, by name.
        wanted: Name asked for; empty for the bag's only one if it has any.
        bag: What the messages call the bag.
        or_else: What else than a topic may be named.

    Raises:
        BagError: It is absent, no detections topic, or there are several and none is named.
    """
    if wanted:
        check_topic(topics, wanted, (DETECTIONS_TYPE,), bag, DETECTIONS_TYPE)
        return wanted
    boxes = sorted(_filled(topics, (DETECTIONS_TYPE,)))
    if len(boxes) > 1:
        other = f" or {or_else}" if or_else else ""
        raise BagError(
            f"{bag} has several detections topics, name one of {_listed(boxes)}{other}."
        )
    return boxes[0] if boxes else ""


def check_topic(
    topics: Mapping[str, BagTopic], name: str, types: Collection[str], bag: str, expected: str
) -> None:
    """Check that a named topic is there, and of one of the types.

    Raises:
        BagError: It is not; ``expected`` says what should be there.
    """
    if name not in topics:
        raise BagError(f"{bag} has no topic {name}, it has {_listed(sorted(topics))}.")
    if topics[name].type_name not in types:
        raise BagError(f"{name} in {bag} holds {topics[name].type_name}, expected {expected}.")


def _filled(topics: Mapping[str, BagTopic], types: Collection[str]) -> dict[str, BagTopic]:
    """The topics of these types that hold messages, by name."""
    return {
        name: topics[name]
        for name in sorted(topics)
        if topics[name].type_name in types and topics[name].message_count > 0
    }


def _beside(topics: Mapping[str, BagTopic], image: str, name: str, kind: str) -> str | None:
    """The topic of this name in the image's namespace, where it has the type."""
    wanted = f"{_namespace(image)}/{name}"
    return wanted if wanted in _filled(topics, (kind,)) else None


def _only(
    topics: Mapping[str, BagTopic],
    kind: str,
    neighbours: Collection[str],
    plural: str = "",
    bag: str = "",
) -> str | None:
    """The only topic of a type that does not lie beside another camera's image.

    Raises:
        BagError: There are several, and ``plural`` says what they are.
    """
    names = [name for name in _filled(topics, (kind,)) if _namespace(name) not in neighbours]
    if len(names) > 1 and plural:
        raise BagError(f"{bag} has several {plural} topics, name one of {_listed(names)}.")
    return names[0] if len(names) == 1 else None


def _namespace(topic: str) -> str:
    return raw_name(topic).rpartition("/")[0]


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) if names else "none"
