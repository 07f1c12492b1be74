# SPDX-License-Identifier: Apache-2.0
"""Truth from a topic of the bag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stn_perception.bags.errors import BagError
from stn_perception.bags.reader import BagReader
from stn_perception.bags.truth.corner_messages import CornerList, corner_list
from stn_perception.bags.truth.names import filled_topic
from stn_perception.bags.truth.objects import TrueObject
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.bags.truth.stamped import StampedObjects, StampedTruth
from stn_perception.bags.typestore import ensure_type, starts_with_header
from stn_perception.messages.regions import BoxOrigin, RejectedRegion, regions_from_detections
from stn_perception.messages.stamps import stamp_ns

DETECTIONS = "vision_msgs/msg/Detection2DArray"


@dataclass
class Refused:
    """What a topic holds that is no truth: how much of it, and why the first was not used."""

    topic: str
    count: int = 0
    reason: str = field(default="")

    def add(self, reason: str) -> None:
        """One more."""
        self.count += 1
        self.reason = self.reason or reason

    def sentences(self) -> tuple[str, ...]:
        """For the user; none where all was used."""
        if not self.count:
            return ()
        return (f"{self.count} truths on {self.topic} were not used, the first: {self.reason}.",)


def topic_truth(options: TruthOptions, reader: BagReader, camera: str) -> StampedTruth:
    """The truth about one camera from the topic that the options name.

    Raises:
        BagError: The bag lacks the topic, or its type says nothing about objects in an image.
    """
    topic = filled_topic(options.topic, camera)
    if topic not in reader.topics:
        there = ", ".join(sorted(reader.topics))
        raise BagError(
            f"the bag {reader.path} has no topic {topic} for the truth, it has {there}."
        )
    refused = Refused(topic)
    read = _reading(options, reader, topic, refused)
    entries = list(_entries(reader, topic, read, refused))
    return StampedTruth(entries, options.tolerance_s, refused.sentences())


def _reading(
    options: TruthOptions, reader: BagReader, topic: str, refused: Refused
) -> Callable[[Any], tuple[TrueObject, ...]]:
    """How a message of the topic becomes true objects."""
    type_name = reader.topics[topic].type_name
    if type_name == DETECTIONS:
        return lambda message: _boxes(message, options.pixel_origin or "center", refused)
    ensure_type(reader.typestore, type_name)
    listing = corner_list(
        reader.typestore.fielddefs, type_name, options.corner_order, options.pixel_origin
    )
    if listing is None or not starts_with_header(reader.typestore, type_name):
        raise BagError(
            f"the topic {topic} holds {type_name}, expected {DETECTIONS} or a type with a header "
            "and a list of elements with id and four corners."
        )
    return lambda message: _fiducials(message, listing, refused)


def _entries(
    reader: BagReader,
    topic: str,
    read: Callable[[Any], tuple[TrueObject, ...]],
    refused: Refused,
) -> Iterator[StampedObjects]:
    for message in reader.messages([topic]):
        try:
            content = reader.deserialize(message)
        except BagError as error:
            refused.add(str(error).rstrip("."))
            continue
        yield StampedObjects(stamp_ns(content), str(content.header.frame_id), read(content))


def _boxes(message: Any, origin: BoxOrigin, refused: Refused) -> tuple[TrueObject, ...]:
    """The oriented boxes of a Detection2DArray: the corners of the turned box."""
    objects = []
    for region in regions_from_detections(message, origin):
        if isinstance(region, RejectedRegion):
            refused.add(region.message)
        else:
            objects.append(TrueObject(region.id, region.class_id, region.box.corners()))
    return tuple(objects)


def _fiducials(message: Any, listing: CornerList, refused: Refused) -> tuple[TrueObject, ...]:
    objects = []
    for element in listing.elements(message):
        try:
            objects.append(listing.true_object(element))
        except ValueError as error:
            refused.add(str(error))
    return tuple(objects)
