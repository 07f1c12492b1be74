# SPDX-License-Identifier: Apache-2.0
"""What the pipeline publishes of a view is exact: its camera, its pixels, its pose."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.homography import homography_from_corners, invert
from stn_perception.geometry.quads import view_quad
from stn_perception.geometry.virtual_camera import residual_skew
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region
from stn_perception.runtime.frame import DepthFrame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.settings import PipelineSettings

from .pipeline_requests import (
    GENERIC,
    HEIGHT,
    INTRINSICS,
    WIDTH,
    K,
    MakeArchive,
    box,
    only,
    request,
)


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
