# SPDX-License-Identifier: Apache-2.0
"""Image and detections in; views, camera_info, objects, poses, pictures, TF, diagnostics out."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseArray
from node_harness import CameraClient, Client, RunningNode, settled, wait_until
from node_messages import FRAME_ID, HEIGHT, WIDTH, K, info_message, picture, pixels_of, stamp_of
from node_models import write_model
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray

pytestmark = pytest.mark.ros
OUT = "/canonicalizer/camera"
BOX = (160.0, 120.0, 100.0, 80.0)


@pytest.fixture(scope="module")
def scene(domain_id: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """One frame through the whole node, with everything that came out."""
    model = write_model(tmp_path_factory.mktemp("model"))
    parameters = (f"model:={model}", "object_size_m:=['sign=0.5,0.4']", "object_frames:=true")
    with RunningNode(domain_id, *parameters) as node, Client(domain_id) as client:
        out = {
            "image": client.collect(Image, f"{OUT}/object_0/image_rect"),
            "info": client.collect(CameraInfo, f"{OUT}/object_0/camera_info"),
            "objects": client.collect(Detection2DArray, f"{OUT}/objects"),
            "poses": client.collect(PoseArray, f"{OUT}/object_poses"),
            "mosaic": client.collect(Image, f"{OUT}/mosaic"),
            "overlay": client.collect(Image, f"{OUT}/overlay"),
            "second": client.collect(Image, f"{OUT}/object_1/image_rect"),
        }
        tf = client.collect(TFMessage, "/tf")
        diagnostics = client.collect(DiagnosticArray, "/diagnostics")
        for collected in (*out.values(), tf, diagnostics):
            collected.matched()
        camera = CameraClient(client).wait()
        camera.infos.publish(info_message(1))
        infos = node.node.counters["camera"].camera_infos
        wait_until(lambda: infos.counts().used == 1, lambda: f"{infos.counts()}")
        stamp = camera.send([BOX])
        got = {name: each.at(stamp) for name, each in out.items() if name != "second"}
        transforms = tf.wait(lambda message: len(message.transforms) == 2)
        empty = camera.send([])
        yield SimpleNamespace(
            **got,
            stamp=stamp,
            transforms={each.child_frame_id: each for each in transforms.transforms},
            empty=out["objects"].at(empty),
            second=out["second"],
            counts=settled(node),
            diagnostics=diagnostics,
            node=node,
            camera=camera,
        )


def view_from_frame(info: CameraInfo) -> np.ndarray:
    """What any consumer of CameraInfo can compute: P[:, :3] · R · K⁻¹."""
    projection = np.array(info.p).reshape(3, 4)[:, :3]
    return (
        projection @ np.array(info.r).reshape(3, 3) @ np.linalg.inv(np.array(info.k).reshape(3, 3))
    )


def test_the_view_is_what_its_camera_info_says(scene: SimpleNamespace) -> None:
    assert (scene.image.width, scene.image.height) == (48, 40)
    assert (scene.info.width, scene.info.height) == (48, 40)
    assert scene.image.encoding == "rgb8"
    warped = cv2.warpPerspective(
        picture(), view_from_frame(scene.info), (48, 40), flags=cv2.INTER_LINEAR
    )
    assert np.abs(pixels_of(scene.image).astype(int) - warped).mean() <= 1.0


def test_the_network_and_the_box_make_the_transform(scene: SimpleNamespace) -> None:
    corners = np.array([[-0.5, -0.5], [47.5, -0.5], [47.5, 39.5], [-0.5, 39.5]])
    theta = np.array([[0.7, -0.3, 0.05], [0.3, 0.7, -0.04]])
    normalised = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]) @ theta.T
    expected = np.array(BOX[:2]) + normalised * np.array(BOX[2:]) / 2
    frame_from_view = np.linalg.inv(view_from_frame(scene.info))
    mapped = cv2.perspectiveTransform(corners[None], frame_from_view)[0]
    assert np.allclose(mapped, expected, atol=1e-4)


def test_stamps_are_the_sources_and_frames_are_explained_by_tf(scene: SimpleNamespace) -> None:
    view = "camera_object_0_optical"
    assert scene.image.header.frame_id == scene.info.header.frame_id == view
    transform = scene.transforms[view]
    assert transform.header.frame_id == FRAME_ID
    assert stamp_of(transform) == scene.stamp
    translation = transform.transform.translation
    assert (translation.x, translation.y, translation.z) == (0.0, 0.0, 0.0)
    q = transform.transform.rotation
    rotated = cv2.Rodrigues(quaternion_vector(q.x, q.y, q.z, q.w))[0]
    assert np.allclose(rotated.T, np.array(scene.info.r).reshape(3, 3), atol=1e-9)
    assert list(scene.info.k) == K
    assert len(scene.info.d) == 0


def quaternion_vector(x: float, y: float, z: float, w: float) -> np.ndarray:
    sine = np.sqrt(x * x + y * y + z * z)
    axis = np.array([x, y, z]) / max(sine, 1e-300)
    return axis * 2 * np.arctan2(sine, w)


def test_objects_carry_box_class_slot_and_pose(scene: SimpleNamespace) -> None:
    assert stamp_of(scene.objects) == scene.stamp
    assert scene.objects.header.frame_id == FRAME_ID
    (item,) = scene.objects.detections
    assert item.id == "box0"
    scores = {each.hypothesis.class_id: each.hypothesis.score for each in item.results}
    assert scores["sign"] == 0.75
    assert scores["slot"] == 0.0
    assert scores["valid_fraction"] == pytest.approx(1.0)
    assert np.isnan(scores["corner_sigma_px"])  # the network predicts no variances
    assert scores["is_uncertain"] == 0
    assert 0.3 < item.bbox.center.theta < 0.5
    (pose,) = scene.poses.poses
    assert item.results[0].pose.pose.position.z == pose.position.z > 0
    frame = scene.transforms["camera_object_0"]
    assert frame.transform.translation.z == pytest.approx(pose.position.z)


def test_pictures_are_drawn(scene: SimpleNamespace) -> None:
    assert (scene.overlay.width, scene.overlay.height) == (WIDTH, HEIGHT)
    assert scene.overlay.encoding == scene.mosaic.encoding == "bgr8"
    changed = np.any(pixels_of(scene.overlay) != picture()[..., ::-1], axis=2)
    assert 100 < changed.sum() < 0.3 * WIDTH * HEIGHT


def test_an_empty_array_of_boxes_gives_an_empty_result(scene: SimpleNamespace) -> None:
    assert scene.empty.detections == []


def test_every_frame_has_an_outcome(scene: SimpleNamespace) -> None:
    counts = scene.counts
    assert counts.received == 2
    assert counts.used + sum(counts.dropped.values()) == counts.received


def test_diagnostics_tell_rates_percentiles_and_outcomes(scene: SimpleNamespace) -> None:
    def complete(message: DiagnosticArray) -> bool:
        values = {each.name: each for each in message.status}
        camera = values.get("canonicalizer: camera")
        return camera is not None and any(
            each.key == "frames.used" and each.value == "2" for each in camera.values
        )

    message = scene.diagnostics.wait(complete)
    statuses = {each.name: each for each in message.status}
    values = {each.key: each.value for each in statuses["canonicalizer: camera"].values}
    assert values["frames.received"] == "2"
    assert values["views.published"] == "1"
    for stage in ("wait", "decode", "crop", "network", "warp", "publish", "total"):
        for part in ("p50_ms", "p95_ms", "p99_ms"):
            assert float(values[f"latency.{stage}.{part}"]) >= 0
    assert float(values["rate.frames_in_hz"]) > 0
    model = {each.key: each.value for each in statuses["canonicalizer: model"].values}
    assert model["model"] == "turn"
    assert model["device"] == "cpu"
