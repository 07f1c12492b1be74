# SPDX-License-Identifier: Apache-2.0
"""Several cameras, other kinds of input, time that jumps and endpoints that do not fit."""

from __future__ import annotations

import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from node_harness import CameraClient, Client, RunningNode, settled, wait_until
from node_messages import (
    FRAME_ID,
    HEIGHT,
    WIDTH,
    detections_message,
    info_message,
    picture,
    set_stamp,
    stamp_of,
)
from node_models import FixedTurn, write_model
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from stn_perception.messages.outcomes import DropReason

pytestmark = pytest.mark.ros
GOOD = (160.0, 120.0, 100.0, 80.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def client(domain_id: int) -> Iterator[Client]:
    with Client(domain_id) as client:
        yield client


def out(camera: str, suffix: str) -> str:
    return f"/canonicalizer/{camera}/{suffix}"


def ids(message: Detection2DArray) -> list[str]:
    return [each.id for each in message.detections]


def test_two_cameras_share_one_batch(domain_id: int, client: Client, model: Path) -> None:
    with RunningNode(domain_id, f"model:={model}", "cameras:=[left, arm/right]") as node:
        objects = [
            client.collect(Detection2DArray, out(name, "objects")).matched()
            for name in ("left", "arm/right")
        ]
        cameras = [CameraClient(client, name).wait() for name in ("left", "arm/right")]
        mailbox = node.node.session._processor._mailbox
        batches: list[list[str]] = []
        process, held = mailbox.process, []

        def recording(requests: Any, wanted: Any) -> Any:
            batches.append([request.camera for request in requests])
            if not held:  # the other camera's frame and this one's next wait meanwhile
                held.append(True)
                cameras[1].send([GOOD])
                held.append(cameras[0].send([GOOD]))
                handover = node.node.session._handover
                wait_until(lambda: len(handover._items) == 2, lambda: "not handed over")
            return process(requests, wanted)

        mailbox.process = recording
        cameras[0].send([GOOD])
        objects[0].at(cameras[0]._stamp_ns)
        objects[1].at(cameras[1]._stamp_ns)
        assert batches[0] == ["left"]
        assert sorted(batches[1]) == ["arm/right", "left"]
        for name in ("left", "arm/right"):
            assert not settled(node, name).dropped


def test_a_network_without_a_card_runs_with_its_input_size_as_parameters(
    domain_id: int, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "own.pt"
    torch.jit.script(FixedTurn().eval()).save(str(path))
    size = ("model_input_width:=32", "model_input_height:=24")
    with RunningNode(domain_id, f"model:={path}", *size):
        view = client.collect(Image, out("camera", "object_0/image_rect")).matched()
        message = view.at(CameraClient(client).wait().send([GOOD]))
        assert (message.width, message.height) == (32, 24)


def test_the_full_frame_needs_no_detections(domain_id: int, client: Client, model: Path) -> None:
    with RunningNode(domain_id, f"model:={model}", "regions:=full_frame") as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        camera = CameraClient(client).wait(CameraClient(client).images)
        wait_until(lambda: camera.images.get_subscription_count() > 0, lambda: "no subscriber")
        (item,) = objects.at(camera.send(None)).detections
        assert item.bbox.center.position.x == pytest.approx((WIDTH - 1) / 2 + 0.05 * WIDTH / 2)
        assert camera.detections.get_subscription_count() == 0
        assert settled(node).used == 1


def test_fixed_regions_come_from_a_parameter(domain_id: int, client: Client, model: Path) -> None:
    regions = "fixed_regions:=['plate=160,120,100,80', 'camera:dial=60,60,40,40,0.3']"
    with RunningNode(domain_id, f"model:={model}", "regions:=fixed", regions) as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        camera = CameraClient(client)
        camera.wait(camera.images)
        result = objects.at(camera.send(None))
        assert [each.results[0].hypothesis.class_id for each in result.detections] == [
            "plate",
            "dial",
        ]
        assert settled(node).used == 1


def test_compressed_images_follow_the_resolved_image_topic(
    domain_id: int, client: Client, model: Path
) -> None:
    parameters = (f"model:={model}", "image_transport:=compressed", "-r camera/image:=/eye/rgb")
    with RunningNode(domain_id, *parameters) as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        images = client.publisher(CompressedImage, "/eye/rgb/compressed")
        camera = CameraClient(client)
        infos = client.publisher(type(info_message(1)), "/eye/camera_info")
        for publisher in (images, camera.detections, infos):
            wait_until(
                lambda p=publisher: p.get_subscription_count() > 0,
                lambda p=publisher: p.topic_name,
            )
        jpeg = cv2.imencode(".jpg", picture())[1].tobytes()
        message = CompressedImage(format="jpeg", data=array.array("B", jpeg))
        images.publish(set_stamp(message, 7))
        camera.detections.publish(detections_message(7, [GOOD]))
        assert ids(objects.at(7)) == ["box0"]
        cut = CompressedImage(format="jpeg", data=array.array("B", jpeg[:500]))
        images.publish(set_stamp(cut, 8))
        camera.detections.publish(detections_message(8, [GOOD]))
        node.wait_for_drop(DropReason.UNDECODABLE)
        settled(node)


def test_depth_is_paired_and_gives_poses_and_depth_views(
    domain_id: int, client: Client, model: Path
) -> None:
    with RunningNode(domain_id, f"model:={model}", "use_depth:=true") as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        depths = client.collect(Image, out("camera", "object_0/depth_rect")).matched()
        camera = CameraClient(client).wait()
        depth = client.publisher(Image, "/camera/depth")
        wait_until(lambda: depth.get_subscription_count() > 0, lambda: "no subscriber")
        camera.infos.publish(info_message(1))
        infos = node.node.counters["camera"].camera_infos
        wait_until(lambda: infos.counts().used == 1, lambda: "camera_info not taken")
        stamp = camera.send([GOOD])
        meters = np.full((HEIGHT, WIDTH), 1.5, np.float32)
        message = Image(width=WIDTH, height=HEIGHT, step=4 * WIDTH, encoding="32FC1")
        message.data = array.array("B", meters.tobytes())
        depth.publish(set_stamp(message, stamp))
        (item,) = objects.at(stamp).detections
        assert item.results[0].pose.pose.position.z == pytest.approx(1.5, rel=0.02)
        view = depths.at(stamp)
        assert view.encoding == "32FC1"
        values = np.frombuffer(view.data, np.float32)
        assert 1.0 < np.nanmedian(values) < 1.6
        assert settled(node).used == 1


def test_stamps_that_jump_back_clear_tracks_and_nothing_else(
    domain_id: int, client: Client, model: Path
) -> None:
    with RunningNode(domain_id, f"model:={model}") as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        camera = CameraClient(client).wait()
        first = camera.send([GOOD], stamp_ns=10_000_000_000)
        objects.at(first)
        camera.send(None, stamp_ns=10_500_000_000)  # waits for detections when the loop begins
        wait_until(lambda: node.frames().received == 2, lambda: f"{node.frames()}")
        again = camera.send([GOOD], stamp_ns=1_000_000_000)
        assert ids(objects.at(again)) == ["box0"]
        node.wait_for_drop(DropReason.TIME_JUMP)
        for step in range(1, 6):
            stamp = camera.send([GOOD], stamp_ns=1_000_000_000 + step * 50_000_000)
            assert ids(objects.at(stamp)) == ["box0"]
        assert settled(node).used == 7


def test_the_clock_that_jumps_back_clears_what_waits(
    domain_id: int, client: Client, model: Path
) -> None:
    parameters = (f"model:={model}", "use_sim_time:=true", "sync_timeout_s:=30.0")
    with RunningNode(domain_id, *parameters) as node:
        objects = client.collect(Detection2DArray, out("camera", "objects")).matched()
        camera = CameraClient(client).wait()
        clock = client.publisher(Clock, "/clock")
        wait_until(lambda: clock.get_subscription_count() > 0, lambda: "no /clock subscriber")

        def tick(seconds: int) -> None:
            message = Clock()
            message.clock.sec = seconds
            clock.publish(message)
            wait_until(
                lambda: node.node.get_clock().now().nanoseconds == seconds * 10**9,
                lambda: "the clock does not follow",
            )

        tick(50)
        objects.at(camera.send([GOOD], stamp_ns=50_000_000_000))
        camera.send(None, stamp_ns=50_100_000_000)
        wait_until(lambda: node.frames().received == 2, lambda: f"{node.frames()}")
        tick(3)
        node.wait_for_drop(DropReason.TIME_JUMP)
        assert ids(objects.at(camera.send([GOOD], stamp_ns=3_000_000_000))) == ["box0"]


def test_endpoints_that_do_not_fit_are_named_with_their_policy(
    domain_id: int, client: Client, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    override = "qos_overrides./camera/detections.subscription.reliability:=reliable"
    with RunningNode(domain_id, f"model:={model}", override):
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        client.publisher(Detection2DArray, "/camera/detections", best_effort)
        client.collect(Image, out("camera", "overlay"), latched)
        client.collect(Image, out("camera", "mosaic"))
        log = ""

        def told() -> bool:
            nonlocal log
            log += capfd.readouterr().err
            return (
                "'/camera/detections' offers an incompatible RELIABILITY" in log
                and "'/canonicalizer/camera/overlay' requests an incompatible policy" in log
            )

        wait_until(told, lambda: log)


def test_a_silent_input_is_named(
    domain_id: int, client: Client, model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with RunningNode(domain_id, f"model:={model}", "idle_warning_s:=0.5"):
        client.collect(Detection2DArray, out("camera", "objects")).matched()
        log = ""

        def told(sentence: str) -> None:
            def holds() -> bool:
                nonlocal log
                log += capfd.readouterr().err
                return sentence in log

            wait_until(holds, lambda: f"'{sentence}' not in {log}")

        told("No image on '/camera/image' for 0.5 s (no publisher")
        camera = CameraClient(client).wait()
        camera.send(None)
        told("(1 publisher")


def test_frames_and_stamps_are_the_sources(domain_id: int, client: Client, model: Path) -> None:
    with RunningNode(domain_id, f"model:={model}", "view_frames:=false"):
        view = client.collect(Image, out("camera", "object_0/image_rect")).matched()
        camera = CameraClient(client).wait()
        stamp = camera.send([GOOD])
        message = view.at(stamp)
        assert message.header.frame_id == FRAME_ID
        assert stamp_of(message) == stamp
