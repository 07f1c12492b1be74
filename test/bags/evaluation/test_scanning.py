# SPDX-License-Identifier: Apache-2.0
"""Frames find their boxes offline as they do in the node, and what finds none is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter
from stn_perception.bags.evaluation.frame_refs import CameraScan
from stn_perception.bags.evaluation.scanning import scan_camera
from stn_perception.bags.factory import RosbagsFactory
from stn_perception.bags.opening import camera_topics
from stn_perception.messages.factory import header
from stn_perception.messages.images import encode_image
from stn_perception.messages.objects import detection_array
from stn_perception.runtime.parameters.settings import InputSettings

MS = 1_000_000
IMAGE, BOXES = "/front/image", "/front/detections"


class Recording:
    """Writes images and empty box lists at the times and with the stamps that a test wants."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._factory = RosbagsFactory()
        self._messages: list[tuple[int, str, object]] = []

    def image(self, at_ms: int, stamp_ms: int, encoding: str = "mono8") -> Recording:
        head = header(self._factory, stamp_ms * MS, "optical")
        pixels = np.zeros((4, 6), np.uint8)
        image = encode_image(self._factory, head, pixels, "gray")
        image.encoding = encoding
        self._messages.append((at_ms, IMAGE, image))
        return self

    def boxes(self, at_ms: int, stamp_ms: int) -> Recording:
        head = header(self._factory, stamp_ms * MS, "optical")
        self._messages.append((at_ms, BOXES, detection_array(self._factory, head, [])))
        return self

    def scan(self, **settings: object) -> CameraScan:
        with BagWriter(self.path, typestore=self._factory.typestore) as writer:
            for at_ms, topic, message in self._messages:
                writer.add_topic(topic, message.__msgtype__)
                writer.write_message(topic, at_ms * MS, message)
        with BagReader(self.path) as reader:
            return scan_camera(reader, camera_topics(reader), InputSettings(**settings))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path / "bag")


def stamps_ms(scan: CameraScan) -> list[int]:
    return [frame.image.stamp_ns // MS for frame in scan.frames]


def test_boxes_that_come_later_are_found(recording: Recording) -> None:
    for n in range(5):
        recording.image(1000 + 100 * n, 100 * n).boxes(1250 + 100 * n, 100 * n)
    scan = recording.scan()
    assert stamps_ms(scan) == [0, 100, 200, 300, 400]
    assert [frame.number for frame in scan.frames] == [0, 1, 2, 3, 4]
    assert [frame.done_ns // MS for frame in scan.frames] == [1250, 1350, 1450, 1550, 1650]
    assert scan.skipped == {}


def test_boxes_that_come_too_late_leave_their_frame_unpaired(recording: Recording) -> None:
    recording.image(0, 0).boxes(400, 0).image(1000, 1000).boxes(1600, 1000)
    recording.image(2000, 2000).boxes(2001, 2000)
    scan = recording.scan()
    assert stamps_ms(scan) == [0, 2000]
    assert scan.skipped == {"unpaired": 1, "detections_unpaired": 1}
    (sentence,) = scan.sentences
    assert "camera 'front' left out: 1 unpaired, 1 detections_unpaired" in sentence


def test_a_longer_patience_finds_them(recording: Recording) -> None:
    recording.image(0, 0).boxes(1600, 0)
    assert stamps_ms(recording.scan(sync_timeout_s=2.0)) == [0]


def test_images_without_any_boxes_are_counted_as_such(recording: Recording) -> None:
    recording.image(0, 0).image(100, 100).boxes(5000, 5000)
    assert recording.scan().skipped == {"no_boxes_yet": 2, "detections_unpaired": 1}


def test_the_whole_frame_needs_no_boxes(recording: Recording) -> None:
    recording.image(0, 0).boxes(1, 0).image(100, 100)
    assert stamps_ms(recording.scan(regions="full_frame")) == [0, 100]


def test_equal_stamps_and_times_stay_apart_and_are_told(recording: Recording) -> None:
    recording.image(0, 50).image(0, 50).image(0, 60).image(10, 70)
    scan = recording.scan(regions="full_frame")
    assert stamps_ms(scan) == [50, 50, 60, 70]
    assert [frame.image.place for frame in scan.frames] == [0, 1, 2, 0]
    (sentence,) = scan.sentences
    assert sentence == "/front/image: 1 image with the stamp of an earlier one."


def test_a_jump_back_starts_anew_and_is_told(recording: Recording) -> None:
    for at_ms, stamp_ms in ((0, 100), (100, 200), (200, 100), (300, 200)):
        recording.image(at_ms, stamp_ms)
    scan = recording.scan(regions="full_frame")
    assert stamps_ms(scan) == [100, 200, 100, 200]
    assert [frame.jumped for frame in scan.frames] == [False, False, True, False]
    assert any("/front/image: 1 image with an earlier stamp" in s for s in scan.sentences)


def test_an_encoding_that_changes_midway_is_told(recording: Recording) -> None:
    for n, encoding in enumerate(["mono8", "mono8", "8UC1", "mono8"]):
        recording.image(1000 + 100 * n, 100 * n, encoding)
    scan = recording.scan(regions="full_frame")
    assert len(scan.frames) == 4
    assert scan.sentences == (
        "The encoding on /front/image changes 2 times, at first from 'mono8' to '8UC1' at "
        "image 2; each image is read by its own.",
    )
