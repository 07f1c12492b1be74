# SPDX-License-Identifier: Apache-2.0
"""Find a camera's frames in a recording: boxes, depth and calibration as the node pairs them.

The node's own ``FrameAssembly`` does it, with the recording's times for its clock. So a frame
whose boxes were recorded too late is unpaired here too; nothing is dropped for being busy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.frame_refs import CameraScan, FrameRef, MessageRef
from stn_perception.bags.image_header import image_encoding
from stn_perception.bags.opening import CameraTopics
from stn_perception.bags.reader import BagMessage, BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.bags.wording import plural
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.intake.frame_assembly import FrameAssembly
from stn_perception.runtime.intake.frame_job import FrameJob
from stn_perception.runtime.parameters.settings import InputSettings


@dataclass
class _Dropped:
    """Counts what belongs to no frame; ``kind`` is put before the reason."""

    into: Counter[str]
    kind: str = ""

    def count_dropped(self, reason: DropReason, count: int = 1) -> None:
        self.into[f"{self.kind}{reason}"] += count

    def tick(self) -> None:
        """Pairs are counted by the frames themselves."""


@dataclass
class _Counters:
    skipped: Counter[str]
    frames: _Dropped = field(init=False)
    detections: _Dropped = field(init=False)
    depth: _Dropped = field(init=False)
    paired: _Dropped = field(init=False)

    def __post_init__(self) -> None:
        self.frames = self.paired = _Dropped(self.skipped)
        self.detections = _Dropped(self.skipped, "detections_")
        self.depth = _Dropped(self.skipped, "depth_")


class _Scanner:
    def __init__(self, reader: BagReader, topics: CameraTopics, settings: InputSettings) -> None:
        self._reader = reader
        self.skipped: Counter[str] = Counter()
        self.frames: list[FrameRef] = []
        self.infos: list[bytes] = []
        self._known_infos: dict[bytes, bool] = {}  # whether it reads
        self._topics = topics
        self._now_ns = 0
        self._jumped = False
        self._places: Counter[tuple[str, int]] = Counter()
        self._stamps: Counter[int] = Counter()
        self._late = 0
        self._encodings: list[tuple[int, str]] = []
        self._last_stamp_ns: int | None = None
        self._assembly = FrameAssembly(
            topics.camera,
            settings,
            _Counters(self.skipped),
            self._hand_over,
            self._jump,
            stamp_of=lambda ref: int(ref.stamp_ns),
            clock=lambda: self._now_ns / 1e9,
        )

    def take(self, message: BagMessage) -> None:
        self._now_ns = message.time_ns
        self._assembly.expire()
        topics = self._topics
        if message.topic == topics.camera_info:
            self._take_info(message)
            return
        place = self._places[message.topic, message.time_ns]
        self._places[message.topic, message.time_ns] += 1
        try:
            stamp_ns = header_stamp_ns(message.data)
        except BagError:
            self.skipped["undecodable"] += 1
            return
        ref = MessageRef(message.time_ns, place, stamp_ns)
        if message.topic == topics.image:
            self._watch(stamp_ns)
            self._watch_encoding(image_encoding(message.data, topics.compressed))
            self._assembly.push_image(ref)
        elif message.topic == topics.depth:
            self._assembly.push_depth(ref)
        else:
            self._assembly.push_detections(replace(ref, data=message.data))

    def finish(self) -> CameraScan:
        self._assembly.clear(DropReason.UNPAIRED)
        frames = [replace(f, infos=max(f.infos, min(1, len(self.infos)))) for f in self.frames]
        return CameraScan(
            self._topics, tuple(frames), tuple(self.infos), dict(self.skipped), self._sentences()
        )

    def _take_info(self, message: BagMessage) -> None:
        """Keep what is new; what does not read is counted, and its frames stay uncalibrated."""
        content = _without_stamp(message.data)
        if content not in self._known_infos:
            self._known_infos[content] = self._does_read(message)
            if self._known_infos[content]:
                self.infos.append(message.data)
        if not self._known_infos[content]:
            self.skipped[f"camera_info_{DropReason.UNDECODABLE}"] += 1

    def _does_read(self, message: BagMessage) -> bool:
        try:
            self._reader.deserialize(message)
        except BagError:
            return False
        return True

    def _watch(self, stamp_ns: int) -> None:
        self._stamps[stamp_ns] += 1
        self._late += self._last_stamp_ns is not None and stamp_ns < self._last_stamp_ns
        self._last_stamp_ns = stamp_ns

    def _watch_encoding(self, encoding: str) -> None:
        if not self._encodings or self._encodings[-1][1] != encoding:
            self._encodings.append((self._stamps.total() - 1, encoding))

    def _sentences(self) -> tuple[str, ...]:
        image, sentences = self._topics.image, []
        twice = sum(count - 1 for count in self._stamps.values())
        if twice:
            images = plural(twice, "image")
            sentences.append(f"{image}: {images} with the stamp of an earlier one.")
        if self._late:
            images = plural(self._late, "image")
            sentences.append(
                f"{image}: {images} with an earlier stamp than the one before; tracks start anew "
                "there, as in the node."
            )
        if len(self._encodings) > 1:
            times = plural(len(self._encodings) - 1, "time")
            (_, before), (number, after) = self._encodings[:2]
            sentences.append(
                f"The encoding on {image} changes {times}, at first from '{before}' to '{after}' "
                f"at image {number}; each image is read by its own."
            )
        if self.skipped:
            counts = ", ".join(f"{count} {reason}" for reason, count in self.skipped.items())
            sentences.append(f"Messages of camera '{self._topics.camera}' left out: {counts}.")
        return tuple(sentences)

    def _jump(self) -> None:
        self._jumped = True

    def _hand_over(self, job: FrameJob) -> None:
        self.frames.append(
            FrameRef(
                number=len(self.frames),
                image=job.image,
                detections=job.detections,
                depth=job.depth,
                infos=len(self.infos),
                done_ns=self._now_ns,
                jumped=self._jumped,
            )
        )
        self._jumped = False


def _without_stamp(data: bytes) -> bytes:
    """A serialized message that starts with a header, but for the header's stamp."""
    return data[:4] + data[12:]


def scan_camera(reader: BagReader, topics: CameraTopics, settings: InputSettings) -> CameraScan:
    """Read the stamps of a camera's messages and pair them.

    Args:
        reader: The open recording.
        topics: Of the camera; those that are None are not read.
        settings: How inputs belong together: the node's.

    Raises:
        BagError: The recording is damaged, or the image topic holds nothing.
    """
    scanner = _Scanner(reader, topics, settings)
    wanted = [topics.image, topics.camera_info]
    if settings.regions == "detections":
        wanted.append(topics.detections)
    if settings.use_depth:
        wanted.append(topics.depth)
    for message in reader.messages([topic for topic in wanted if topic is not None]):
        scanner.take(message)
    return scanner.finish()
