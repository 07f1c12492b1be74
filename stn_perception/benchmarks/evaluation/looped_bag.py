# SPDX-License-Identifier: Apache-2.0
"""A long recording made of a short one, for measuring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from stn_perception.bags.reader import BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.bags.writer import BagWriter
from stn_perception.messages.stamps import time_fields

IMAGE = "/camera/image/compressed"
INFO = "/camera/camera_info"
DETECTIONS = "/camera/detections"
_START_NS = 1_700_000_000_000_000_000


@dataclass(frozen=True)
class Loop:
    """How the long recording is made.

    Attributes:
        seconds: Its length.
        rate_hz: Frames a second.
        objects: Boxes kept in each frame, the first ones.
    """

    seconds: float = 60.0
    rate_hz: float = 30.0
    objects: int = 1

    @property
    def frames(self) -> int:
        """Number of frames."""
        return round(self.seconds * self.rate_hz)


def write_looped_bag(source: Path, target: Path, loop: Loop) -> None:
    """Repeat a recording's frames with their boxes and calibration at a steady rate.

    Args:
        source: A recording with the topics of the sample.
        target: The bag folder to write.
        loop: How.
    """
    with BagReader(source) as reader, BagWriter(target, compress=False) as writer:
        for name in (IMAGE, INFO, DETECTIONS):
            writer.add_topic(name, reader.topics[name].type_name)
        frames = list(_frames(reader))
        for number, frame in enumerate(islice(cycle(frames), loop.frames)):
            time_ns = _START_NS + round(number * 1e9 / loop.rate_hz)
            for topic, message in frame.items():
                if topic == DETECTIONS:
                    message.detections = message.detections[: loop.objects]
                sec, nanosec = time_fields(time_ns)
                message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
                writer.write_message(topic, time_ns, message)


def _frames(reader: BagReader) -> Iterator[dict[str, Any]]:
    """Messages that belong together, in the order of their stamps, images with boxes only."""
    by_stamp: dict[int, dict[str, Any]] = {}
    for message in reader.messages([IMAGE, INFO, DETECTIONS]):
        stamp = by_stamp.setdefault(header_stamp_ns(message.data), {})
        stamp[message.topic] = reader.deserialize(message)
    for stamp_ns in sorted(by_stamp):
        if len(by_stamp[stamp_ns]) == 3 and by_stamp[stamp_ns][DETECTIONS].detections:
            yield by_stamp[stamp_ns]
