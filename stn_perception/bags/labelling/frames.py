# SPDX-License-Identifier: Apache-2.0
"""The frames of one camera of a recording, read one at a time and in any order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.topics import COMPRESSED_IMAGE_TYPE
from stn_perception.bags.reader import BagMessage, BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.messages.images import decode_compressed_image, decode_image
from stn_perception.runtime.drawing import bgr_pixels

_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True)
class FramePlace:
    """Where a frame stands in the recording: its stamp, and when it was recorded."""

    stamp_ns: int
    time_ns: int


class CameraFrames:
    """The frames of one image topic in the order of their stamps, one for each stamp.

    The recording is looked through once for the stamps; pictures are read when asked for, and
    none is kept. Threads may ask at the same time.

    Args:
        reader: An open recording; it stays open as long as frames are asked for.
        topic: An image topic of it.

    Attributes:
        places: Of the frames.
        repeated: How many images have the stamp of an earlier one.
        unreadable: How many messages are too short for a stamp.

    Raises:
        BagError: There is no frame, or the recording is damaged.
    """

    def __init__(self, reader: BagReader, topic: str) -> None:
        self._reader = reader
        self._topic = topic
        self._lock = threading.Lock()
        places: dict[int, FramePlace] = {}
        self.repeated = self.unreadable = 0
        for message in reader.messages([topic]):
            try:
                stamp = header_stamp_ns(message.data)
            except BagError:
                self.unreadable += 1
                continue
            self.repeated += stamp in places
            places.setdefault(stamp, FramePlace(stamp, message.time_ns))
        if not places:
            raise BagError(f"{topic} in the bag {reader.path} holds no message with a stamp.")
        self.places = tuple(places[stamp] for stamp in sorted(places))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.places)

    @property
    def stamps_ns(self) -> tuple[int, ...]:
        """Their stamps, increasing."""
        return tuple(place.stamp_ns for place in self.places)

    def pixels(self, number: int) -> NDArray[np.uint8]:
        """A frame's pixels, BGR.

        Raises:
            IndexError: There is no such frame.
            BagError: The recording is damaged there.
            MessageError: The message is no picture that can be shown.
        """
        place = self.places[number]
        with self._lock:
            found = next(self._at(place), None)
            if found is None:
                raise BagError(f"frame {number} of {self._topic} is no longer in the bag.")
            content = self._reader.deserialize(found)
        compressed = found.type_name == COMPRESSED_IMAGE_TYPE
        decoded = decode_compressed_image(content) if compressed else decode_image(content)
        return bgr_pixels(decoded.pixels, decoded.color)

    def png(self, number: int) -> bytes:
        """A frame as a PNG file: what is clicked are the pixels that a pipeline gets."""
        return cv2.imencode(".png", self.pixels(number), _FAST)[1].tobytes()

    def close(self) -> None:
        """Wait until nothing is being read any more; no frame is read after that."""
        self._lock.acquire()

    def _at(self, place: FramePlace) -> Iterator[BagMessage]:
        for message in self._reader.messages([self._topic], place.time_ns, place.time_ns + 1):
            with suppress(BagError):  # counted when the recording was looked through
                if header_stamp_ns(message.data) == place.stamp_ns:
                    yield message
