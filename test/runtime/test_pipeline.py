# SPDX-License-Identifier: Apache-2.0
"""The whole job: what is published from a frame is exact, in order and complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.homography import homography_from_corners, invert
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.quads import view_quad
from stn_perception.geometry.virtual_camera import residual_skew
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import DepthFrame, Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import CanonicalObject, FrameResult
from stn_perception.runtime.settings import PipelineSettings

MakeArchive = Callable[..., ModelArchive]
MS = 1_000_000
WIDTH, HEIGHT = 320, 240
K = np.array([[300.0, 0, 162], [0, 310, 118], [0, 0, 1]])
INTRINSICS = PinholeIntrinsics(K, width=WIDTH, height=HEIGHT, frame_id="camera_optical")
IDENTITY = [[1.0, 0, 0], [0, 1, 0]]
GENERIC = [[0.7, -0.2, 0.05], [0.15, 0.6, -0.1], [0.1, -0.05, 1.0]]


def color_frame(stamp_ms: int = 0, seed: int = 0) -> Frame:
    rough = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels = cv2.normalize(cv2.blur(rough, (5, 5)), None, 0, 255, cv2.NORM_MINMAX)
    return Frame(np.asarray(pixels, dtype=np.uint8), "bgr", stamp_ms * MS, "camera_optical")


def box(
    x: float = 150, y: float = 120, width: float = 100, height: float = 80, **fields: Any
) -> Region:
    return Region(AxisAlignedBox(x, y, width, height), **fields)


def request(
    *regions: Any, camera: str = "front", stamp_ms: int = 0, **fields: Any
) -> FrameRequest:
    return FrameRequest(camera, color_frame(stamp_ms), regions or (box(),), **fields)


def only(results: list[FrameResult]) -> CanonicalObject:
    (result,) = results
    (item,) = result.objects
    return item


def plane_pose(tilt_x: float, tilt_y: float, turn: float) -> np.ndarray:
    rotation, _ = cv2.Rodrigues(np.array([tilt_x, tilt_y, 0.0]))
    in_plane, _ = cv2.Rodrigues(np.array([0.0, 0.0, turn]))
    return np.asarray(rotation @ in_plane)


def plane_corners(rotation: np.ndarray, translation: np.ndarray, size: tuple[float, float]) -> Any:
    w, h = size[0] / 2, size[1] / 2
    points = np.array([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]]) @ rotation.T + translation
    projected = points @ K.T
    return projected[:, :2] / projected[:, 2:]


def theta_showing(quad: np.ndarray, region: Region) -> np.ndarray:
    """The network's answer that makes the view exactly this quad of the frame."""
    crop = region.box.corners()
    normalized = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    crop_from_frame = homography_from_corners(normalized, crop)
    return crop_from_frame @ homography_from_corners(quad, normalized)


def test_the_camera_of_a_view_carries_its_exact_transform(make_archive: MakeArchive) -> None:
    pipeline = Pipeline(make_archive(GENERIC, family="projective", view_width=48, view_height=40))
    item = only(pipeline.process([request(intrinsics=INTRINSICS)]))
    camera = item.virtual_camera
    H = camera.view_matrix @ camera.rotation @ np.linalg.inv(K)
    expected = invert(item.frame_from_view)
    np.testing.assert_allclose(H / H[2, 2], expected / expected[2, 2], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("antialias", [True, False])
def test_warping_the_source_with_the_published_matrix_gives_the_published_view(
    make_archive: MakeArchive, antialias: bool
) -> None:
    archive = make_archive(GENERIC, family="projective", view_width=120, view_height=96)
    frame_request = request(intrinsics=INTRINSICS)
    pipeline = Pipeline(archive, PipelineSettings(antialias=antialias))
    item = only(pipeline.process([frame_request]))
    camera = item.virtual_camera
    view_from_frame = camera.view_matrix @ camera.rotation @ np.linalg.inv(K)
    expected = cv2.warpPerspective(frame_request.frame.pixels, view_from_frame, (120, 96))
    assert item.view is not None and item.color == "bgr"
    assert np.abs(item.view.astype(int) - expected).mean() <= 1.0


def test_without_calibration_the_matrix_is_the_transform_itself(make_archive: MakeArchive) -> None:
    pipeline = Pipeline(
        make_archive(GENERIC, family="projective"), PipelineSettings(view_kind="camera")
    )
    item = only(pipeline.process([request()]))
    camera = item.virtual_camera
    product = camera.view_matrix @ camera.rotation @ item.frame_from_view
    np.testing.assert_allclose(product / product[2, 2], np.eye(3), atol=1e-9)
    assert not camera.source_matrix.any()
    assert item.pose is None


def test_camera_views_have_no_skew_and_planar_ones_show_it(make_archive: MakeArchive) -> None:
    archive = make_archive([[0.7, 0.3, 0], [0, 0.6, 0]])
    frame_request = request(intrinsics=INTRINSICS)
    planar = only(Pipeline(archive).process([frame_request]))
    settings = PipelineSettings(view_kind="camera", antialias=False)
    camera = only(Pipeline(archive, settings).process([frame_request]))
    assert abs(residual_skew(planar.virtual_camera)) > 0.1
    assert abs(residual_skew(camera.virtual_camera)) < 1e-9
    assert camera.view is not None
    H = invert(camera.frame_from_view)
    expected = cv2.warpPerspective(frame_request.frame.pixels, H, (32, 32))
    assert np.abs(camera.view.astype(int) - expected).mean() <= 1.0


@pytest.mark.parametrize("symmetry", [1, 4])
def test_a_known_size_gives_the_pose_of_a_tilted_plane(
    make_archive: MakeArchive, symmetry: int
) -> None:
    rotation, translation = plane_pose(0.4, -0.5, 0.2), np.array([0.05, -0.03, 1.1])
    quad = plane_corners(rotation, translation, (0.3, 0.2))
    region = box(
        *AxisAlignedBox.from_corners(quad).corners().mean(axis=0), 110, 90, class_id="sign"
    )
    archive = make_archive(
        theta_showing(quad, region),
        family="projective",
        symmetry=symmetry,
        object_size_m={"sign": (0.3, 0.2)},
    )
    item = only(Pipeline(archive).process([request(region, intrinsics=INTRINSICS)]))
    np.testing.assert_allclose(view_quad(item.frame_from_view, 32, 32), quad, atol=1e-3)
    assert item.pose is not None and item.pose.source == "size"
    np.testing.assert_allclose(item.pose.pose.translation, translation, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(item.pose.pose.rotation, rotation, atol=1e-3)
    mine = Pipeline(archive, PipelineSettings(object_size_m={"sign": (0.6, 0.4)}))
    twice = only(mine.process([request(region, intrinsics=INTRINSICS)]))
    assert twice.pose is not None
    np.testing.assert_allclose(twice.pose.pose.translation, 2 * translation, rtol=1e-3, atol=1e-4)


def plane_depth(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(K).T
    normal = rotation[:, 2]
    return np.asarray((normal @ translation) / (rays @ normal))


def test_a_camera_view_that_would_fold_is_dropped(make_archive: MakeArchive) -> None:
    # No rectangle's picture: the camera nearest to its view sees wider, and past the horizon.
    quad = np.array([[145.0, 82], [171, 58], [219, 100], [125, 149]])
    region = box(170, 105, 110, 100)
    pipeline = Pipeline(make_archive(theta_showing(quad, region)))
    planar = only(pipeline.process([request(region, intrinsics=INTRINSICS)]))
    assert np.isfinite(view_quad(planar.frame_from_view, 32, 32)).all()
    pipeline.replace_settings(PipelineSettings(view_kind="camera"))
    (result,) = pipeline.process([request(region, intrinsics=INTRINSICS)])
    assert result.objects == ()
    assert [drop.reason for drop in result.dropped] == [DropReason.INVALID_TRANSFORM]


@pytest.mark.parametrize("turn_rad", [0.2, 1.4, -1.2, 2.9])
def test_the_sides_of_a_known_size_are_found_where_any_may_be_up(
    make_archive: MakeArchive, turn_rad: float
) -> None:
    rotation, translation = plane_pose(0.5, -0.35, turn_rad), np.array([-0.05, 0.04, 1.5])
    quad = plane_corners(rotation, translation, (0.4, 0.15))
    region = box(150, 120, 160, 130)
    archive = make_archive(theta_showing(quad, region), symmetry=4)
    pipeline = Pipeline(archive, PipelineSettings(object_size_m={"": (0.4, 0.15)}))
    item = only(pipeline.process([request(region, intrinsics=INTRINSICS)]))
    assert item.pose is not None
    assert item.pose.source == "size"
    np.testing.assert_allclose(item.pose.pose.translation, translation, atol=1e-3)
    np.testing.assert_allclose(item.pose.pose.normal, rotation[:, 2], atol=1e-3)


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_depth_in_a_facing_view_is_the_distance_of_the_plane(
    make_archive: MakeArchive, encoding: str
) -> None:
    """Facing the plane, every point of it is equally deep; the plane's source depths are not."""
    rotation, translation = plane_pose(0.4, -0.5, 0.2), np.array([0.05, -0.03, 1.1])
    quad = plane_corners(rotation, translation, (0.3, 0.2))
    region = box(*quad.mean(axis=0), 110, 90)
    meters = plane_depth(rotation, translation).astype(np.float32)
    unknown = quad.mean(axis=0).round().astype(int)
    meters[unknown[1] - 3 : unknown[1] + 4, unknown[0] - 3 : unknown[0] + 4] = np.nan
    depth = DepthFrame(meters, encoding)
    archive = make_archive(theta_showing(quad, region), family="projective")
    item = only(Pipeline(archive).process([request(region, intrinsics=INTRINSICS, depth=depth)]))
    assert item.depth_view is not None and item.depth_encoding == encoding
    known = item.depth_view[np.isfinite(item.depth_view)]
    assert 0.7 < known.size / item.depth_view.size < 0.99
    distance = rotation[:, 2] @ translation
    np.testing.assert_allclose(known, distance, rtol=1e-4)
    spread = np.nanmax(meters) - np.nanmin(meters)
    assert spread > 0.1
    assert item.pose is not None and item.pose.source == "depth"
    np.testing.assert_allclose(item.pose.pose.translation, translation, atol=5e-3)


def test_orientation_alone_needs_neither_size_nor_depth(make_archive: MakeArchive) -> None:
    rotation, translation = plane_pose(-0.3, 0.4, 0.1), np.array([0.0, 0.0, 1.0])
    quad = plane_corners(rotation, translation, (0.25, 0.2))
    region = box(*quad.mean(axis=0), 110, 90)
    archive = make_archive(theta_showing(quad, region), family="projective")
    item = only(Pipeline(archive).process([request(region, intrinsics=INTRINSICS)]))
    assert item.pose is not None and not item.pose.translation_known
    np.testing.assert_allclose(item.pose.pose.rotation, rotation, atol=2e-3)


class Wandering(nn.Module):
    """An affine answer that depends on the crop."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4 * 7 * 7, 6)
        with torch.no_grad():
            self.head.weight.mul_(0.3)
            self.head.bias.copy_(torch.tensor([0.8, 0, 0, 0, 0.8, 0]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(crops).flatten(1)).view(-1, 2, 3)


def drive(pipeline: Pipeline, split: bool = False) -> list[FrameResult]:
    results: list[FrameResult] = []
    for step in range(6):
        requests = [
            FrameRequest(
                camera,
                color_frame(50 * step, seed=10 * number + step),
                tuple(box(80 + 60 * i + 2 * step, 100, 70, 60) for i in range(2 + number)),
                INTRINSICS if number else None,
            )
            for number, camera in enumerate(["left", "right"])
        ]
        if split:
            for one in requests:
                results += pipeline.process([one])
        else:
            results += pipeline.process(requests)
    return results


def test_same_input_and_same_batches_give_the_same_bits(make_archive: MakeArchive) -> None:
    settings = PipelineSettings(smoothing=0.4, refinement_steps=1)
    archive = make_archive(Wandering(), symmetry=4)
    first, second = (drive(Pipeline(archive, settings)) for _ in range(2))
    other_batches = drive(Pipeline(archive, settings), split=True)
    for a, b, c in zip(first, second, other_batches, strict=True):
        assert len(a.objects) == len(b.objects) == len(c.objects) > 0
        for x, y, z in zip(a.objects, b.objects, c.objects, strict=True):
            np.testing.assert_array_equal(x.frame_from_view, y.frame_from_view)
            np.testing.assert_array_equal(x.view, y.view)
            assert (x.slot, x.track_id) == (y.slot, y.track_id) == (z.slot, z.track_id)
            quads = [view_quad(i.frame_from_view, 32, 32) for i in (x, z)]
            np.testing.assert_allclose(quads[0], quads[1], rtol=1e-5, atol=1e-3)


def test_predicting_first_and_finishing_later_is_the_same(make_archive: MakeArchive) -> None:
    archive = make_archive(Wandering())
    requests = [request(box(100 + 3 * step, 120), stamp_ms=50 * step) for step in range(4)]
    whole = Pipeline(archive).process(requests)
    halves = Pipeline(archive)
    predictions = halves.predict(requests)
    cut = [halves.finish(r, p) for r, p in zip(requests, predictions, strict=True)]
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.objects[0].frame_from_view, b.objects[0].frame_from_view)
        assert a.objects[0].track_id == b.objects[0].track_id


def test_every_region_is_an_object_or_has_a_reason(make_archive: MakeArchive) -> None:
    regions = (
        box(),
        RejectedRegion(1, "x", DropReason.NOT_FINITE, "the box is NaN"),
        box(-500, 0),
        box(250, 100, 30, 30),
        box(100, 60, 0, 10),
    )
    (result,) = Pipeline(make_archive(IDENTITY)).process([request(*regions)])
    assert len(result.objects) + len(result.dropped) == len(regions)
    assert [drop.index for drop in result.dropped] == [1, 2, 4]
    assert set(result.stage_s) == {"crop", "network", "compose", "track", "pose", "warp"}
    assert all(seconds >= 0 for seconds in result.stage_s.values())


def test_no_boxes_give_an_empty_result(make_archive: MakeArchive) -> None:
    empty = FrameRequest("front", color_frame(), ())
    (result,) = Pipeline(make_archive(IDENTITY)).process([empty])
    assert result.objects == () and result.dropped == ()
    assert (result.width, result.height, result.frame_id) == (WIDTH, HEIGHT, "camera_optical")


def test_only_wanted_slots_are_warped_and_all_are_tracked(make_archive: MakeArchive) -> None:
    regions = (box(80, 120, 60, 60), box(160, 120, 60, 60), box(240, 120, 60, 60))
    pipeline = Pipeline(make_archive(IDENTITY))
    (result,) = pipeline.process([request(*regions)], wanted={"front": {1}})
    assert [item.slot for item in result.objects] == [0, 1, 2]
    assert [item.view is not None for item in result.objects] == [False, True, False]
    (result,) = pipeline.process([request(*regions, stamp_ms=50)], wanted={"other": {0}})
    assert all(item.view is None for item in result.objects)
    (result,) = pipeline.process([request(*regions, stamp_ms=100)])
    assert all(item.view is not None for item in result.objects)


def test_objects_beyond_the_slots_are_reported_without_one(make_archive: MakeArchive) -> None:
    regions = (box(80, 120, 60, 60), box(240, 120, 60, 60))
    pipeline = Pipeline(make_archive(IDENTITY), PipelineSettings(max_objects=1))
    (result,) = pipeline.process([request(*regions)])
    assert [item.slot for item in result.objects] == [0, None]
    assert result.objects[1].view is None


def test_a_jump_back_resets_the_camera_it_happens_to(make_archive: MakeArchive) -> None:
    pipeline = Pipeline(make_archive(IDENTITY))

    def tracks(stamps: dict[str, int]) -> dict[str, int]:
        results = pipeline.process(
            [request(camera=camera, stamp_ms=stamp) for camera, stamp in stamps.items()]
        )
        return {result.camera: result.objects[0].track_id for result in results}

    first = tracks({"left": 1000, "right": 1000})
    second = tracks({"left": 0, "right": 1050})
    assert second["left"] != first["left"]
    assert second["right"] == first["right"]
    pipeline.reset("right")
    third = tracks({"left": 50, "right": 1100})
    assert third["left"] == second["left"]
    assert third["right"] != second["right"]


def test_a_replaced_model_is_used_from_the_next_call_and_tracks_live_on(
    make_archive: MakeArchive,
) -> None:
    pipeline = Pipeline(make_archive(IDENTITY))
    before = only(pipeline.process([request()]))
    pipeline.replace_model(make_archive([[0.8, 0, 0], [0, 0.8, 0]], view_width=50))
    pipeline.replace_settings(PipelineSettings(view_height=20))
    after = only(pipeline.process([request(stamp_ms=50)]))
    assert after.track_id == before.track_id
    assert after.view is not None and after.view.shape == (20, 50, 3)
    np.testing.assert_allclose(after.oriented_box.width, 80, rtol=1e-6)
    with pytest.raises(ValueError, match="backend"):
        pipeline.replace_settings(PipelineSettings(backend="none"))
    assert pipeline.settings.view_height == 20


def test_a_call_that_runs_keeps_the_settings_it_began_with(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_archive(IDENTITY)
    pipeline = Pipeline(archive)
    predict = archive.predict

    def predict_and_replace(crops: torch.Tensor) -> object:
        pipeline.replace_settings(PipelineSettings(max_objects=1))
        return predict(crops)

    monkeypatch.setattr(archive, "predict", predict_and_replace)
    regions = box(80, 120, 60, 60), box(220, 120, 60, 60)
    (first,) = pipeline.process([request(*regions)])
    (second,) = pipeline.process([request(*regions, stamp_ms=50)])
    assert [item.slot for item in first.objects] == [0, 1]
    assert [item.slot for item in second.objects] == [0, None]


def test_both_back_ends_serve_the_pipeline(make_archive: MakeArchive) -> None:
    archive = make_archive(Wandering())
    items = [
        only(Pipeline(archive, PipelineSettings(backend=name)).process([request()]))
        for name in ("opencv", "reference")
    ]
    quads = [view_quad(item.frame_from_view, 32, 32) for item in items]
    np.testing.assert_allclose(quads[0], quads[1], atol=0.3)


def test_a_depth_image_or_camera_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="depth image is 10×8"):
        request(depth=DepthFrame(np.ones((8, 10), dtype=np.float32)))
    with pytest.raises(ValueError, match="640×480"):
        request(intrinsics=PinholeIntrinsics(K, width=640, height=480))
