# SPDX-License-Identifier: Apache-2.0
"""Bad input: every message has an outcome under one reason, and the node goes on."""

from __future__ import annotations

import array
import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from node_harness import TIMEOUT_S, CameraClient, Client, RunningNode, settled, wait_until
from node_messages import WIDTH, info_message
from node_models import FailsOnLargeBatches, write_model
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2DArray

from stn_perception.messages.outcomes import DropReason

pytestmark = pytest.mark.ros
OUT = "/canonicalizer/camera"
GOOD = (160.0, 120.0, 100.0, 80.0)


@pytest.fixture(scope="module")
def running(domain_id: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    model = write_model(tmp_path_factory.mktemp("m"), "fragile", FailsOnLargeBatches())
    parameters = (
        f"model:={model}",
        "warm_up_batches:=[1, 2]",
        "max_image_width:=1000",
        "sync_timeout_s:=2.0",
        "input_is_rectified:=false",
    )
    with RunningNode(domain_id, *parameters) as node, Client(domain_id) as client:
        objects = client.collect(Detection2DArray, f"{OUT}/objects").matched()
        camera = CameraClient(client).wait()
        yield SimpleNamespace(node=node, client=client, camera=camera, objects=objects)


@pytest.fixture(autouse=True)
def every_message_has_an_outcome(running: SimpleNamespace) -> Iterator[None]:
    """Whatever a test sends: nothing disappears, and the node still works afterwards."""
    yield
    counters = running.node.node.counters["camera"]
    stamp = running.camera.send([GOOD])
    assert len(running.objects.at(stamp).detections) == 1
    for kind in ("frames", "detections", "boxes"):
        counter = getattr(counters, kind)
        wait_until(lambda c=counter: c.counts().waiting == 0, lambda k=kind: f"{k} wait for ever")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (DropReason.BAD_ENCODING, {"encoding": "jpeg2000"}),
        (DropReason.BAD_STEP, {"step": 3 * WIDTH - 1}),
        (DropReason.EMPTY_IMAGE, {"width": 0, "height": 0, "data": array.array("B")}),
        (DropReason.BAD_SIZE, {"data": array.array("B", bytes(100))}),
        (DropReason.TOO_LARGE, {"width": 1001, "step": 3003}),
    ],
)
def test_a_bad_image_is_counted_under_its_reason(
    running: SimpleNamespace, reason: DropReason, changes: dict[str, Any]
) -> None:
    before = running.node.frames().dropped.get(reason, 0)
    running.camera.send([GOOD], **changes)
    running.node.wait_for_drop(reason, count=before + 1)
    assert str(reason) in running.node.node.reporter.last


@pytest.mark.parametrize(
    ("reason", "box"),
    [
        (DropReason.OUTSIDE_FRAME, (5000.0, 120.0, 50.0, 50.0)),
        (DropReason.ZERO_AREA, (160.0, 120.0, 0.0, 50.0)),
        (DropReason.NOT_FINITE, (math.nan, 120.0, 50.0, 50.0)),
        (DropReason.NOT_FINITE, (160.0, 120.0, math.inf, 50.0)),
    ],
)
def test_a_bad_box_is_counted_and_the_good_one_beside_it_is_not_lost(
    running: SimpleNamespace, reason: DropReason, box: tuple[float, ...]
) -> None:
    before = running.node.boxes().dropped.get(reason, 0)
    stamp = running.camera.send([box, GOOD])
    assert [each.id for each in running.objects.at(stamp).detections] == ["box1"]
    running.node.wait_for_drop(reason, "boxes", before + 1)


def test_a_network_that_fails_loses_its_boxes_and_not_the_node(running: SimpleNamespace) -> None:
    stamp = running.camera.send([GOOD, GOOD, GOOD])
    running.node.wait_for_drop(DropReason.MODEL_ERROR, "boxes", 3)
    assert running.objects.at(stamp).detections == []
    assert "too large" in running.node.node.reporter.last


def test_a_defect_is_counted_and_shown_and_the_node_goes_on(
    running: SimpleNamespace, capfd: pytest.CaptureFixture[str]
) -> None:
    mailbox = running.node.node.session._processor._mailbox
    process = mailbox.process

    def fails_once(*_: Any) -> Any:
        mailbox.process = process
        raise ZeroDivisionError("a defect")

    mailbox.process = fails_once
    running.camera.send([GOOD])
    running.node.wait_for_drop(DropReason.INTERNAL_ERROR)
    log: list[str] = []

    def told() -> bool:
        log.append(capfd.readouterr().err)
        return "ZeroDivisionError: a defect" in "".join(log)

    wait_until(told, lambda: "".join(log))


def test_ten_thousand_boxes_are_cut_to_the_limit(
    domain_id: int, tmp_path: Any, running: SimpleNamespace
) -> None:
    parameters = (
        f"model:={write_model(tmp_path)}",
        "max_boxes:=20",
        "sync_timeout_s:=9.0",
        "-r __ns:=/many",
    )
    out = "/many/canonicalizer/camera"
    with RunningNode(domain_id, *parameters) as node:
        objects = running.client.collect(Detection2DArray, f"{out}/objects").matched()
        camera = CameraClient(running.client, prefix="/many").wait()
        stamp = camera.send([(10 + i % 300, 10 + i % 200, 20, 20) for i in range(10_000)])
        assert len(objects.at(stamp).detections) <= 20
        node.wait_for_drop(DropReason.TOO_MANY_BOXES, "boxes", 9_980)
        settled(node)


def test_a_frame_without_detections_is_unpaired_after_a_while(running: SimpleNamespace) -> None:
    before = running.node.frames().dropped.get(DropReason.UNPAIRED, 0)
    running.camera.send(None)
    running.node.wait_for_drop(DropReason.UNPAIRED, count=before + 1)


def test_camera_info_of_another_size_leaves_the_view_uncalibrated(
    running: SimpleNamespace,
) -> None:
    infos = running.client.collect(CameraInfo, f"{OUT}/object_0/camera_info").matched()
    latched = running.node.node.counters["camera"].camera_infos
    before = latched.counts().used
    running.camera.infos.publish(info_message(1, width=640, height=480))
    wait_until(lambda: latched.counts().used == before + 1, lambda: "not latched")
    stamp = running.camera.send([GOOD])
    assert not any(infos.at(stamp).k)
    infos.close()


def test_distorted_camera_info_is_refused_where_images_are_not_rectified(
    running: SimpleNamespace,
) -> None:
    running.camera.infos.publish(info_message(2, d=[0.1, 0.0, 0.0, 0.0, 0.0]))
    running.node.wait_for_drop(DropReason.DISTORTED_CAMERA_INFO, "camera_infos")
    running.camera.send([GOOD])
    running.node.wait_for_drop(DropReason.DISTORTED_CAMERA_INFO)
    assert "not rectified" in running.node.node.reporter.last
    running.camera.infos.publish(info_message(3))


def test_busy_frames_are_counted_when_the_newest_replaces_them(
    running: SimpleNamespace,
) -> None:
    processor = running.node.node.session._processor
    entered, go_on = processor_gate(processor)
    try:
        before = running.node.frames()
        running.camera.send([GOOD])
        assert entered.wait(TIMEOUT_S)
        for sent in range(2, 6):
            running.camera.send([GOOD])
            expected = before.received + sent
            wait_until(lambda n=expected: running.node.frames().received == n, lambda: "not taken")
    finally:
        go_on.set()
    after = settled(running.node)
    busy = after.dropped.get(DropReason.BUSY, 0) - before.dropped.get(DropReason.BUSY, 0)
    assert busy == 3
    assert after.used - before.used == 2


def processor_gate(processor: Any) -> tuple[Any, Any]:
    """Hold the working thread at its next batch until told to go on."""
    import threading

    entered, go_on = threading.Event(), threading.Event()
    original = processor._mailbox.process

    def gated(*arguments: Any) -> Any:
        processor._mailbox.process = original
        entered.set()
        go_on.wait(15)
        return original(*arguments)

    processor._mailbox.process = gated
    return entered, go_on


def test_depth_images_are_not_asked_for_unless_used(running: SimpleNamespace) -> None:
    assert running.node.node.count_subscribers("/camera/depth") == 0
    assert running.client.node.count_publishers(f"{OUT}/object_0/depth_rect") == 0
    assert Image  # the type of both
