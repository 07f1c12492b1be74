# SPDX-License-Identifier: Apache-2.0
"""The node's small parts, without a middleware."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from node_messages import K, info_message
from node_models import write_model

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.node.counters import OutcomeCounter
from stn_perception.node.handover import LatestOnly
from stn_perception.node.idle_watch import InputActivity, Reminder, missing_inputs
from stn_perception.node.latencies import WINDOW_S, Latencies, Rate
from stn_perception.node.message_factory import RclpyFactory
from stn_perception.node.reporter import Reporter
from stn_perception.node.sequence_gaps import SequenceGaps
from stn_perception.node.topics import input_topics
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.padded_batches import PaddedArchive


def test_what_is_taken_is_used_dropped_or_waits() -> None:
    counter = OutcomeCounter()
    counter.count_received(5)
    counter.count_used()
    counter.count_dropped(DropReason.BUSY, 2)
    counter.count_lost(7)
    counts = counter.counts()
    assert counts.waiting == 2
    assert (counts.received, counts.used, counts.lost) == (5, 1, 7)


def test_the_newest_item_replaces_an_older_one_and_the_longest_waiting_comes_first() -> None:
    handover: LatestOnly[int] = LatestOnly()
    assert handover.put("a", 1) is None
    assert handover.put("b", 2) is None
    assert handover.put("a", 3) == 1
    assert list(handover.fetch_all().items()) == [("b", 2), ("a", 3)]


def test_a_closed_handover_wakes_the_worker_and_takes_nothing() -> None:
    handover: LatestOnly[int] = LatestOnly()
    fetched: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: fetched.append(handover.fetch_all()))
    thread.start()
    assert handover.close() == []
    thread.join(5)
    assert fetched == [{}]
    assert handover.put("a", 1) == 1


def test_percentiles_are_of_the_last_seconds() -> None:
    now = [0.0]
    latencies = Latencies(lambda: now[0])
    latencies.add({"warp": 9.0})
    now[0] = 20.0
    for value in range(1, 101):
        latencies.add({"warp": value / 1000})
    percentiles = latencies.percentiles()["warp"]
    assert percentiles.samples == 100
    expected = np.percentile(np.arange(1, 101), (50, 95, 99))
    assert (percentiles.p50_ms, percentiles.p95_ms, percentiles.p99_ms) == pytest.approx(expected)


def test_a_rate_is_events_per_second() -> None:
    now = [0.0]
    rate = Rate(lambda: now[0])
    for step in range(21):
        now[0] = step / 20
        rate.tick()
    assert rate.hertz() == pytest.approx(20.0)
    now[0] = 100.0
    assert rate.hertz() == 0.0
    assert (rate.total, rate.last_s) == (21, 1.0)


def test_trouble_is_told_once_in_a_while() -> None:
    now, told = [0.0], list[str]()
    reporter = Reporter(told.append, lambda: now[0])
    for _ in range(3):
        reporter.report("a", "bad step")
    reporter.report("b", "bad box")
    now[0] = 6.0
    reporter.report("a", "bad step")
    assert told == ["bad step", "bad box", "bad step (2 more like this since the last report)"]
    assert reporter.last == "bad step"


def test_gaps_are_counted_per_publisher() -> None:
    gaps = SequenceGaps()

    def info(number: int, publisher: bytes) -> dict[str, object]:
        return {"publication_sequence_number": number, "publisher_gid": {"data": publisher}}

    assert gaps.missing(info(5, b"a")) == 0
    assert gaps.missing(info(1, b"b")) == 0
    assert gaps.missing(info(9, b"a")) == 3
    assert gaps.missing(info(2, b"b")) == 0
    assert gaps.missing({"source_timestamp": 3}) == 0


def test_topics_beside_the_image_follow_its_remapping() -> None:
    rules = {"camera/image": "/front/color/image_raw"}
    topics = input_topics(
        "camera",
        "compressed",
        lambda name: rules.get(name, name if name[0] == "/" else "/" + name),
    )
    assert topics.image == "/front/color/image_raw/compressed"
    assert topics.camera_info == "/front/color/camera_info"
    assert topics.detections == "/camera/detections"


def test_camera_info_is_latched_by_frame_and_size() -> None:
    latch = CameraInfoLatch(input_is_rectified=False)
    assert latch.put(info_message(1)) is None
    intrinsics = latch.find("camera_optical", 320, 240)
    assert intrinsics is not None
    assert intrinsics.matrix.ravel().tolist() == K
    assert latch.find("camera_optical", 640, 480) is None
    assert latch.last_sought_in_vain and latch.last_sought == "'camera_optical' 640×480"
    assert latch.find("other", 320, 240) is None
    refusal = latch.put(info_message(2, d=[0.1, 0.0, 0.0, 0.0, 0.0]))
    assert refusal is not None and refusal.reason is DropReason.DISTORTED_CAMERA_INFO
    with pytest.raises(MessageError):
        latch.find("camera_optical", 320, 240)
    latch.change(input_is_rectified=True)
    assert latch.put(info_message(3, d=[0.1, 0.0, 0.0, 0.0, 0.0])) is None
    assert latch.find("camera_optical", 320, 240) is not None


FINE = InputActivity(
    now_s=100.0,
    subscribed_s=50.0,
    image_topic="/image",
    camera_info_topic="/camera_info",
    detections_topic="/detections",
    depth_topic="",
    image_s=99.5,
    detections_s=99.5,
    depth_s=None,
    image_publishers=1,
    detections_publishers=0,
    paired_s=99.5,
    image_kind="'cam' 640×480",
    camera_info_fits=True,
    camera_info_kinds=(),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"image_s": None}, "No image on '/image' for 5 s (1 publisher"),
        ({"image_s": 90.0}, "No image on '/image'"),
        ({"image_s": None, "subscribed_s": 98.0}, ""),
        ({"detections_s": 80.0}, "Images but no detections on '/detections' for 5 s (no publ"),
        ({"paired_s": None}, "none with fitting stamps"),
        ({"depth_topic": "/depth"}, "Images but no depth on '/depth'"),
        ({"camera_info_fits": False}, "never matched the images ('cam' 640×480; none came)"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, object], expected: str) -> None:
    sentences = missing_inputs(replace(FINE, **changes), 5.0)
    assert len(sentences) == bool(expected)
    assert expected in " ".join(sentences)


def test_a_warning_is_repeated_each_minute_and_again_after_it_was_cured() -> None:
    reminder = Reminder()
    assert reminder.due(["x"], 0.0) == ["x"]
    assert reminder.due(["x"], 30.0) == []
    assert reminder.due(["x"], 61.0) == ["x"]
    assert reminder.due([], 62.0) == []
    assert reminder.due(["x"], 63.0) == ["x"]


def test_a_wrong_field_type_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(AssertionError):
        RclpyFactory().make("geometry_msgs/msg/Point", x=1, y=0.0, z=0.0)
    with pytest.raises(AssertionError):
        RclpyFactory().make("geometry_msgs/msg/Point", w=1.0)


def test_octets_are_what_rclpy_takes_as_it_is() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    octets = RclpyFactory().octets(pixels[:, ::2])
    assert octets.typecode == "B"
    assert bytes(octets) == pixels[:, ::2].tobytes()


def test_padding_changes_the_batch_and_not_the_result(tmp_path: object) -> None:
    archive = ModelArchive.open(write_model(tmp_path), "cpu")  # type: ignore[arg-type]
    seen: list[int] = []
    network = archive._network
    archive._network = lambda batch: (seen.append(len(batch)), network(batch))[1]
    padded = PaddedArchive(archive, [4, 2])
    for count, size in ((1, 2), (2, 2), (3, 4), (5, 5)):
        crops = np.random.default_rng(count).random((count, 3, 32, 32), dtype=np.float32)
        assert np.array_equal(padded.predict(crops).theta, archive.predict(crops).theta)
        assert seen == [size, count]
        seen.clear()
    assert padded.card == archive.card


def test_latencies_keep_nothing_older_than_their_window() -> None:
    now_s = [0.0]
    latencies = Latencies(lambda: now_s[0])
    for _ in range(1000):
        latencies.add({"crop": 1.0})
    now_s[0] = WINDOW_S + 1.0
    latencies.add({"crop": 2.0})
    assert len(latencies._stages["crop"]) == 1
    assert latencies.percentiles()["crop"].p50_ms == 2000.0
