# SPDX-License-Identifier: Apache-2.0
"""The frames of a chunk, one by one, as requests to the pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.frame_refs import FrameRef, MessageRef
from stn_perception.bags.opening import CameraTopics
from stn_perception.bags.opening.topics import CAMERA_INFO_TYPE, DETECTIONS_TYPE
from stn_perception.bags.reader import BagMessage, BagReader
from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.runtime.frame import DepthFrame, depth_frame_from_message
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.intake.frame_job import FrameJob, frame_of, request_of
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.requests import FrameRequest

Place = tuple[str, int, int]


class ReadFrame(NamedTuple):
    """A frame's request, or why it cannot be used."""

    ref: FrameRef
    request: FrameRequest | None
    refusal: MessageError | None


def read_frames(
    reader: BagReader,
    topics: CameraTopics,
    refs: Collection[FrameRef],
    infos: tuple[bytes, ...],
    parameters: NodeParameters,
) -> Iterator[ReadFrame]:
    """Yield the frames in their order; only those that wait for others are held in memory.

    Args:
        reader: The open recording.
        topics: The camera's.
        refs: What to read.
        infos: The camera's distinct CameraInfo messages.
        parameters: The node's.

    Raises:
        BagError: The recording changed since it was scanned.
    """
    builder = _Builder(reader, topics, infos, parameters)
    wanted = {place for ref in refs for place in _places(topics, ref)}
    held: dict[Place, BagMessage] = {}
    waiting = list(refs)
    for place, message in _messages(reader, wanted):
        held[place] = message
        while waiting and all(part in held for part in _places(topics, waiting[0])):
            ref = waiting.pop(0)
            parts = [held[part] for part in _places(topics, ref)]
            yield builder.read(ref, *parts)
            for part in _places(topics, ref):
                del held[part]
    if waiting:
        raise BagError(f"the bag {reader.path} changed while it was read.")


def read_depths(
    reader: BagReader, topics: CameraTopics, refs: Collection[FrameRef]
) -> Iterator[tuple[int, DepthFrame]]:
    """Yield the numbers of frames with their depth images, without looking at their pictures.

    Args:
        reader: The open recording.
        topics: The camera's.
        refs: Frames with depth that were read before without a refusal.
    """
    numbers = {
        _depth_place(topics, ref.depth): ref.number for ref in refs if ref.depth is not None
    }
    for place, message in _messages(reader, set(numbers)):
        yield numbers[place], depth_frame_from_message(reader.deserialize(message))


def _depth_place(topics: CameraTopics, depth: MessageRef) -> Place:
    assert topics.depth is not None
    return topics.depth, depth.time_ns, depth.place


def _places(topics: CameraTopics, ref: FrameRef) -> list[Place]:
    places = [(topics.image, ref.image.time_ns, ref.image.place)]
    if ref.depth is not None:
        places.append(_depth_place(topics, ref.depth))
    return places


def _messages(reader: BagReader, wanted: set[Place]) -> Iterator[tuple[Place, BagMessage]]:
    if not wanted:
        return
    times = [time_ns for _, time_ns, _ in wanted]
    seen: Counter[tuple[str, int]] = Counter()
    names = {name for name, _, _ in wanted}
    for message in reader.messages(names, min(times), max(times) + 1):
        key = (message.topic, message.time_ns)
        place = (*key, seen[key])
        seen[key] += 1
        if place in wanted:
            yield place, message


class _Builder:
    """Makes requests as the node does; CameraInfo is latched in the order of the recording."""

    def __init__(
        self,
        reader: BagReader,
        topics: CameraTopics,
        infos: tuple[bytes, ...],
        parameters: NodeParameters,
    ) -> None:
        self._reader = reader
        self._topics = topics
        self._infos = infos
        self._parameters = parameters
        self._latch = CameraInfoLatch(parameters.inputs.input_is_rectified)
        self._latched = 0

    def read(self, ref: FrameRef, image: BagMessage, depth: BagMessage | None = None) -> ReadFrame:
        self._latch_up_to(ref.infos)
        inputs = self._parameters.inputs
        try:
            job = FrameJob(
                camera=self._topics.camera,
                image=self._message(image),
                detections=self._detections(ref.detections),
                depth=None if depth is None else self._message(depth),
                taken_s=0.0,
            )
            frame = frame_of(job, inputs)
            request = request_of(
                job, frame, self._latch, inputs, self._parameters.pipeline.max_boxes
            )
        except MessageError as refusal:
            return ReadFrame(ref, None, refusal)
        return ReadFrame(ref, request, None)

    def _latch_up_to(self, count: int) -> None:
        while self._latched < count:
            data = self._infos[self._latched]
            self._latch.put(self._message(BagMessage("", CAMERA_INFO_TYPE, 0, data)))
            self._latched += 1

    def _detections(self, ref: MessageRef | None) -> Any:
        if ref is None or ref.data is None:
            return None
        topic = self._topics.detections or ""
        return self._message(BagMessage(topic, DETECTIONS_TYPE, ref.time_ns, ref.data))

    def _message(self, message: BagMessage) -> Any:
        try:
            return self._reader.deserialize(message)
        except BagError as error:
            raise MessageError(DropReason.UNDECODABLE, str(error)) from error
