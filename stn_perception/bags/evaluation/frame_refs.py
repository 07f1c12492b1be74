# SPDX-License-Identifier: Apache-2.0
"""Where a recording's frames lie, and what belongs to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stn_perception.bags.opening import CameraTopics


@dataclass(frozen=True)
class MessageRef:
    """A message that is read again when its turn comes.

    Attributes:
        time_ns: When it was recorded.
        place: Its number among the topic's messages of that time, from 0.
        stamp_ns: Its header's stamp.
        data: Its bytes where it is small, else None.
    """

    time_ns: int
    place: int
    stamp_ns: int
    data: bytes | None = None


@dataclass(frozen=True)
class FrameRef:
    """A frame with all that belongs to it.

    Attributes:
        number: In its camera, from 0.
        image: Its image.
        detections: Its boxes, with their bytes, or None where they come from elsewhere.
        depth: Its depth image, or None.
        infos: How many of the camera's ``infos`` had come when it was complete; at least one
            where there is any.
        done_ns: Recorded time of the message that completed it.
        jumped: Whether time jumped back before it.
    """

    number: int
    image: MessageRef
    detections: MessageRef | None
    depth: MessageRef | None
    infos: int
    done_ns: int
    jumped: bool = False


@dataclass(frozen=True)
class CameraScan:
    """All frames of one camera of one recording.

    Attributes:
        topics: Of the camera.
        frames: In the order in which the node would process them.
        infos: Serialized CameraInfo messages in the order of the recording, without repetitions.
        skipped: Messages that belong to no frame, by reason.
        sentences: What is odd about it.
    """

    topics: CameraTopics
    frames: tuple[FrameRef, ...]
    infos: tuple[bytes, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
