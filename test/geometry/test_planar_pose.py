# SPDX-License-Identifier: Apache-2.0
"""Claims about poses of planar objects and their uncertainty."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    FloatArray,
    InvalidTransformError,
    PinholeIntrinsics,
    Pose,
    homography_from_corners,
    object_corners,
    orientation_from_view,
    pose_from_depth,
    pose_from_size,
    project,
    rotation_from_vector,
    vector_from_rotation,
    view_corners,
)

K = np.array([[310.0, 0, 161], [0, 290, 118], [0, 0, 1]])
INTRINSICS = PinholeIntrinsics(K, np.zeros(3), 320, 240)
SIZE_M = (0.3, 0.22)
VIEW = (120, 80)
TURNS = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 3))


def plane_pose(turn: tuple[float, float, float], distance: float = 1.2) -> Pose:
    in_plane = rotation_from_vector([0, 0, turn[2]])
    rotation = rotation_from_vector([turn[0], turn[1], 0]) @ in_plane
    return Pose(rotation, np.array([0.05, -0.1, distance]))


def depth_of(pose: Pose, intrinsics: PinholeIntrinsics = INTRINSICS) -> np.ndarray:
    u, v = np.meshgrid(np.arange(320.0), np.arange(240.0))
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(intrinsics.matrix).T
    center = pose.translation + intrinsics.optical_offset
    return np.asarray(pose.normal @ center / (rays @ pose.normal), dtype=np.float32)


def angle_between(first: FloatArray, second: FloatArray) -> float:
    return float(np.linalg.norm(vector_from_rotation(first @ second.T)))


@settings(deadline=None, max_examples=60)
@given(TURNS)
def test_the_pose_of_a_known_rectangle_is_found(turn: tuple[float, float, float]) -> None:
    pose = plane_pose(turn)
    found = pose_from_size(project(pose, object_corners(SIZE_M), INTRINSICS), INTRINSICS, SIZE_M)
    np.testing.assert_allclose(found.pose.rotation, pose.rotation, atol=1e-6)
    np.testing.assert_allclose(found.pose.translation, pose.translation, atol=1e-6)
    assert found.translation_known
    assert found.source == "size"
    assert found.ambiguity >= 1
    assert found.covariance is None


def test_both_solutions_of_the_plane_are_reported_with_their_ratio() -> None:
    pose = plane_pose((0.5, 0.0, 0.0), distance=6.0)
    points = object_corners(SIZE_M)
    corners = project(pose, points, INTRINSICS) + np.random.default_rng(3).normal(0, 0.02, (4, 2))
    found = pose_from_size(corners, INTRINSICS, SIZE_M)
    assert found.alternative is not None
    errors = []
    for solution in (found.pose, found.alternative):
        difference = project(solution, points, INTRINSICS) - corners
        errors.append(np.sqrt((difference**2).sum() / 4))
    assert errors[0] <= errors[1]
    assert found.ambiguity == pytest.approx(errors[1] / errors[0], rel=1e-3)
    # The other solution is the plane tilted the other way, not the same one again.
    tilts = [solution.normal[1] for solution in (found.pose, found.alternative)]
    assert tilts[0] * tilts[1] < 0
    # Neither is worse than what OpenCV makes of the same corners.
    count, _, _, theirs = cv2.solvePnPGeneric(
        points, corners[:, None], K, None, flags=cv2.SOLVEPNP_IPPE
    )
    assert count == 2
    assert errors[0] <= np.sqrt(2) * float(np.min(theirs)) + 1e-9


def test_the_two_solutions_get_harder_to_tell_apart_with_distance() -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, (4, 2))
    ratios = []
    for distance in (1.0, 4.0, 12.0):
        corners = project(plane_pose((0.5, 0, 0), distance), object_corners(SIZE_M), INTRINSICS)
        ratios.append(pose_from_size(corners + noise, INTRINSICS, SIZE_M).ambiguity)
    assert ratios[0] > ratios[1] > ratios[2] >= 1


@settings(deadline=None, max_examples=60)
@given(TURNS)
def test_size_view_and_depth_agree_on_the_orientation(turn: tuple[float, float, float]) -> None:
    pose = plane_pose(turn)
    corners = project(pose, object_corners(SIZE_M), INTRINSICS)
    frame_from_view = homography_from_corners(corners, view_corners(*VIEW))
    by_size = pose_from_size(corners, INTRINSICS, SIZE_M)
    by_view = orientation_from_view(frame_from_view, INTRINSICS, *VIEW)
    by_depth = pose_from_depth(corners, depth_of(pose), INTRINSICS)
    assert by_depth is not None
    assert angle_between(by_size.pose.rotation, by_view.pose.rotation) < 1e-6
    assert angle_between(by_size.pose.rotation, by_depth.pose.rotation) < 1e-5
    np.testing.assert_allclose(by_depth.pose.translation, pose.translation, atol=1e-5)
    assert not by_view.translation_known
    assert np.isnan(by_view.pose.translation).all()
    assert (by_view.source, by_depth.source) == ("orientation", "depth")


def test_object_axes_are_right_down_and_away() -> None:
    corners = view_corners(100, 60) + np.array([100, 80])
    found = pose_from_size(corners, INTRINSICS, (0.5, 0.3))
    assert found.pose.normal[2] > 0.9
    assert found.pose.rotation[0, 0] > 0.9
    assert found.pose.rotation[1, 1] > 0.9
    assert np.linalg.det(found.pose.rotation) == pytest.approx(1)


def test_the_right_camera_of_a_stereo_pair_gives_poses_in_the_left_one() -> None:
    right = PinholeIntrinsics(K, np.array([-310 * 0.12, 0, 0]), 320, 240)
    pose = plane_pose((0.3, 0.4, 0.2))
    corners = project(pose, object_corners(SIZE_M), right)
    by_size = pose_from_size(corners, right, SIZE_M)
    by_depth = pose_from_depth(corners, depth_of(pose, right), right)
    np.testing.assert_allclose(by_size.pose.translation, pose.translation, atol=1e-6)
    assert by_depth is not None
    np.testing.assert_allclose(by_depth.pose.translation, pose.translation, atol=1e-5)


@pytest.mark.parametrize("method", ["size", "depth", "orientation"])
def test_the_covariance_is_that_of_repeated_measurements(method: str) -> None:
    generator = np.random.default_rng(7)
    pose = plane_pose((0.6, -0.4, 0.3), distance=0.9)
    exact = project(pose, object_corners(SIZE_M), INTRINSICS)
    root = generator.normal(0, 0.05, (8, 8))
    corner_covariance = root @ root.T + np.eye(8) * 0.01
    clean_depth = depth_of(pose)
    depth_sigma = 0.004

    def measure(corners: FloatArray, depth: FloatArray) -> tuple[Pose, FloatArray | None]:
        if method == "size":
            found = pose_from_size(corners, INTRINSICS, SIZE_M, corner_covariance)
        elif method == "depth":
            estimate = pose_from_depth(corners, depth, INTRINSICS, corner_covariance)
            assert estimate is not None
            found = estimate
        else:
            frame_from_view = homography_from_corners(corners, view_corners(*VIEW))
            found = orientation_from_view(frame_from_view, INTRINSICS, *VIEW, corner_covariance)
        return found.pose, found.covariance

    differences = []
    predicted = []
    for _ in range(250):
        noisy = exact + generator.multivariate_normal(np.zeros(8), corner_covariance).reshape(4, 2)
        depth = clean_depth + generator.normal(0, depth_sigma, clean_depth.shape)
        found, covariance = measure(noisy, depth.astype(np.float32))
        assert covariance is not None
        turn = vector_from_rotation(found.rotation @ pose.rotation.T)
        differences.append(np.concatenate([found.translation - pose.translation, turn]))
        predicted.append(covariance)
    known = slice(3, 6) if method == "orientation" else slice(0, 6)
    observed = np.cov(np.array(differences)[:, known].T)
    expected = np.mean(predicted, axis=0)[known, known]
    # Whitened by the prediction, the sample covariance of 250 draws is the identity to ±30 %.
    whiten = np.linalg.inv(np.linalg.cholesky(expected))
    np.testing.assert_allclose(whiten @ observed @ whiten.T, np.eye(len(observed)), atol=0.35)
    if method == "orientation":
        assert np.isinf(np.diag(predicted[0])[:3]).all()


def test_depth_outliers_and_holes_do_not_move_the_plane() -> None:
    generator = np.random.default_rng(2)
    pose = plane_pose((0.3, 0.2, 0.1))
    corners = project(pose, object_corners(SIZE_M), INTRINSICS)
    depth = depth_of(pose)
    depth[generator.random(depth.shape) < 0.3] *= 1.7
    depth[generator.random(depth.shape) < 0.3] = np.nan
    depth[generator.random(depth.shape) < 0.1] = 0
    found = pose_from_depth(corners, depth, INTRINSICS)
    assert found is not None
    assert angle_between(found.pose.rotation, pose.rotation) < 1e-4
    np.testing.assert_allclose(found.pose.translation, pose.translation, atol=1e-4)


def test_too_little_depth_gives_no_pose() -> None:
    corners = project(plane_pose((0.3, 0.2, 0.1)), object_corners(SIZE_M), INTRINSICS)
    depth = np.full((240, 320), np.nan, np.float32)
    assert pose_from_depth(corners, depth, INTRINSICS) is None
    depth[118:120] = 1.0
    assert pose_from_depth(corners, depth, INTRINSICS, min_valid_fraction=0) is None
    outside = corners + 5000
    assert pose_from_depth(outside, np.ones((240, 320), np.float32), INTRINSICS) is None


@pytest.mark.parametrize(
    "corners",
    [np.full((4, 2), np.nan), np.zeros((4, 2)), view_corners(90, 60)[::-1] + 80],
    ids=["nan", "point", "from behind"],
)
def test_what_is_no_rectangle_in_front_is_refused(corners: FloatArray) -> None:
    with pytest.raises(InvalidTransformError):
        pose_from_size(corners, INTRINSICS, SIZE_M)
    with pytest.raises(InvalidTransformError):
        pose_from_depth(corners, np.ones((240, 320), np.float32), INTRINSICS)
    with pytest.raises(InvalidTransformError):
        orientation_from_view(np.diag([1.0, 1, 0]), INTRINSICS, *VIEW)


def test_an_object_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="object size"):
        pose_from_size(view_corners(90, 60), INTRINSICS, (0, 1))
