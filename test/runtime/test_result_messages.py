# SPDX-License-Identifier: Apache-2.0
"""Messages say what the result says, under the source's stamp."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.factory import NamespaceFactory
from stn_perception.messages.images import decode_image
from stn_perception.messages.objects import hypothesis_score
from stn_perception.messages.quaternions import matrix_from_quaternion
from stn_perception.messages.regions import Region
from stn_perception.messages.stamps import stamp_ns
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.drawing import draw_mosaic, draw_overlay
from stn_perception.runtime.frame import DepthFrame, Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.result_messages import ResultMessages
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

STAMP_NS = 1_700_000_000_123_456_789
K = np.array([[200.0, 0, 80], [0, 200, 60], [0, 0, 1]])
MakeArchive = Callable[..., ModelArchive]


def run(
    make_archive: MakeArchive,
    boxes: int = 2,
    calibrated: bool = True,
    depth: str = "",
    camera: str = "front",
    **settings: Any,
) -> tuple[Frame, FrameResult]:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    frame = Frame(pixels, "rgb", STAMP_NS, "camera_optical")
    meters = np.full((120, 160), 2.0, dtype=np.float32)
    meters[:, :45] = np.nan
    regions = [
        Region(AxisAlignedBox(45 + 60 * i, 60, 40, 30), "ab"[i], "sign") for i in range(boxes)
    ]
    archive = make_archive(
        [[0.9, 0.05, 0], [0.02, 0.8, 0]],
        view_width=24,
        view_height=20,
        object_size_m={"sign": (0.2, 0.15)},
    )
    request = FrameRequest(
        camera,
        frame,
        tuple(regions),
        PinholeIntrinsics(K, width=160, height=120) if calibrated else None,
        DepthFrame(meters, depth) if depth else None,
    )
    pipeline = Pipeline(archive, PipelineSettings(**settings))
    return frame, pipeline.process([request])[0]


def test_every_output_has_its_topic_and_the_sources_stamp(make_archive: MakeArchive) -> None:
    frame, result = run(make_archive, depth="32FC1")
    outputs = dict(ResultMessages(NamespaceFactory()).outputs(result, frame))
    per_object = [
        f"front/object_{slot}/{name}"
        for slot in (0, 1)
        for name in ("image_rect", "camera_info", "depth_rect")
    ]
    per_camera = [f"front/{n}" for n in ("objects", "object_poses", "mosaic", "overlay")]
    assert set(outputs) == {*per_object, *per_camera}
    assert {stamp_ns(message) for message in outputs.values()} == {STAMP_NS}
    for topic, message in outputs.items():
        slot = next((s for s in (0, 1) if f"object_{s}/" in topic), None)
        expected = "camera_optical" if slot is None else f"front_object_{slot}_optical"
        assert message.header.frame_id == expected


def test_image_and_camera_info_are_the_view(make_archive: MakeArchive) -> None:
    frame, result = run(make_archive)
    outputs = dict(ResultMessages(NamespaceFactory()).outputs(result, frame))
    for item in result.objects:
        image = outputs[f"front/object_{item.slot}/image_rect"]
        np.testing.assert_array_equal(decode_image(image).pixels, item.view)
        assert image.encoding == "rgb8"
        info = outputs[f"front/object_{item.slot}/camera_info"]
        P, R = np.reshape(info.p, (3, 4)), np.reshape(info.r, (3, 3))
        H = P[:, :3] @ R @ np.linalg.inv(np.reshape(info.k, (3, 3))) @ item.frame_from_view
        np.testing.assert_allclose(H / H[2, 2], np.eye(3), atol=1e-9)
        assert (info.width, info.height) == (24, 20)


@pytest.mark.parametrize(("encoding", "unknown"), [("32FC1", math.nan), ("16UC1", 0)])
def test_depth_keeps_the_encoding_it_came_in(
    make_archive: MakeArchive, encoding: str, unknown: float
) -> None:
    _, result = run(make_archive, depth=encoding)
    outputs = dict(ResultMessages(NamespaceFactory()).outputs(result))
    message = outputs["front/object_0/depth_rect"]
    kind = np.float32 if encoding == "32FC1" else np.uint16
    values = np.frombuffer(bytes(message.data), dtype=kind).reshape(20, 24)
    assert message.encoding == encoding
    half = values[:, :11]
    assert (np.isnan(half) if math.isnan(unknown) else half == unknown).all()
    assert ((values[:, 13:] > 0) & np.isfinite(values[:, 13:])).all()


def test_tf_explains_view_and_object_frames(make_archive: MakeArchive) -> None:
    _, result = run(make_archive, camera="rig/left")
    builder = ResultMessages(NamespaceFactory(), frame_prefix="r1_", object_frames=True)
    message = builder.transforms(result)
    assert message is not None
    children = [transform.child_frame_id for transform in message.transforms]
    assert children == [
        "r1_rig_left_object_0_optical",
        "r1_rig_left_object_0",
        "r1_rig_left_object_1_optical",
        "r1_rig_left_object_1",
    ]
    first = message.transforms[0]
    assert first.header.frame_id == "camera_optical"
    q = first.transform.rotation
    rotation = matrix_from_quaternion([q.x, q.y, q.z, q.w])
    np.testing.assert_allclose(rotation, result.objects[0].virtual_camera.rotation.T, atol=1e-12)
    t = first.transform.translation
    assert (t.x, t.y, t.z) == (0, 0, 0)


def test_without_view_frames_or_calibration_the_source_frame_stays(
    make_archive: MakeArchive,
) -> None:
    _, calibrated = run(make_archive)
    _, uncalibrated = run(make_archive, calibrated=False)
    plain = ResultMessages(NamespaceFactory(), view_frames=False)
    assert plain.transforms(calibrated) is None
    assert ResultMessages(NamespaceFactory()).transforms(uncalibrated) is None
    for builder, result in (
        (plain, calibrated),
        (ResultMessages(NamespaceFactory()), uncalibrated),
    ):
        for _, message in builder.outputs(result):
            assert message.header.frame_id == "camera_optical"


def test_objects_carry_box_class_pose_and_numbers(make_archive: MakeArchive) -> None:
    _, result = run(make_archive)
    builder = ResultMessages(NamespaceFactory())
    message = builder.objects(result)
    assert [detection.id for detection in message.detections] == ["a", "b"]
    for detection, item in zip(message.detections, result.objects, strict=True):
        box = item.oriented_box
        assert detection.bbox.center.position.x == pytest.approx(box.center_x)
        assert detection.bbox.center.theta == pytest.approx(box.angle_rad)
        assert detection.results[0].hypothesis.class_id == "sign"
        assert hypothesis_score(detection, "slot") == item.slot
        assert hypothesis_score(detection, "valid_fraction") == pytest.approx(1.0)
        assert item.pose is not None
        position = detection.results[0].pose.pose.position
        assert position.z == pytest.approx(item.pose.pose.translation[2])
    assert len(builder.object_poses(result).poses) == 2


def test_no_objects_are_said_out_loud(make_archive: MakeArchive) -> None:
    frame, result = run(make_archive, boxes=0)
    outputs = dict(ResultMessages(NamespaceFactory()).outputs(result, frame))
    assert outputs["front/objects"].detections == []
    assert outputs["front/object_poses"].poses == []
    assert outputs["front/mosaic"].width > 0


def test_what_nobody_wants_is_not_made(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, result = run(make_archive)

    def fail(*_: Any) -> Any:
        raise AssertionError("drawn for nobody")

    monkeypatch.setattr("stn_perception.runtime.result_messages.draw_overlay", fail)
    monkeypatch.setattr("stn_perception.runtime.result_messages.draw_mosaic", fail)
    builder = ResultMessages(NamespaceFactory())
    wanted = {"front/object_1/image_rect", "front/objects"}
    outputs = builder.outputs(result, frame, is_wanted=wanted.__contains__)
    assert {topic for topic, _ in outputs} == wanted


def test_the_overlay_marks_the_quads_and_leaves_the_frame_alone(
    make_archive: MakeArchive,
) -> None:
    frame, result = run(make_archive, boxes=1)
    before = frame.pixels.copy()
    picture = draw_overlay(frame, result)
    np.testing.assert_array_equal(frame.pixels, before)
    changed = (picture != before[..., ::-1]).any(axis=2)
    (item,) = result.objects
    quad = item.oriented_box.corners()
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        x, y = np.rint((start + end) / 2).astype(int)
        assert changed[y - 2 : y + 3, x - 2 : x + 3].any()
    assert not changed[100:, 100:].any()


@pytest.mark.parametrize("color", ["gray", "rgb", "bgr", "rgba", "bgra"])
def test_pictures_can_be_drawn_from_any_colour_order(
    make_archive: MakeArchive, color: str
) -> None:
    channels = {"gray": (), "rgb": (3,), "bgr": (3,)}.get(color, (4,))
    pixels = np.full((60, 80, *channels), 90, dtype=np.uint8)
    frame = Frame(pixels, color)  # type: ignore[arg-type]
    request = FrameRequest(
        "c", frame, tuple(Region(AxisAlignedBox(20 + 15 * i, 30, 14, 20)) for i in range(3))
    )
    (result,) = Pipeline(make_archive([[1.0, 0, 0], [0, 1, 0]])).process([request])
    assert draw_overlay(frame, result).shape == (60, 80, 3)
    sheet = draw_mosaic(result, tile_px=40)
    assert sheet.shape[1] == 80 and (sheet == 90).all(axis=2).mean() > 0.3
