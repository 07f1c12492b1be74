# SPDX-License-Identifier: Apache-2.0
"""Cameras and poses of many views at once are those of each alone, and OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stn_perception.geometry import (
    InvalidTransformError,
    PinholeIntrinsics,
    Pose,
    invert,
    nearest_skew_free,
    object_corners,
    orientation_from_view,
    pose_from_size,
    project,
    rotation_from_vector,
    virtual_camera,
)
from stn_perception.geometry.planar_pose import orientations
from stn_perception.geometry.quads import frame_from_view_of_quad
from stn_perception.geometry.rotations import rotations_from_vectors
from stn_perception.geometry.size_pose import RectanglesSeen, poses_from_sizes
from stn_perception.geometry.virtual_camera import camera_parts, rq3, skew_free_views

SIZE = (64, 48)
CAMERAS = [
    PinholeIntrinsics(np.array([[600.0, 0, 320], [0, 610, 240], [0, 0, 1]])),
    PinholeIntrinsics(np.array([[300.0, 0, 200], [0, 300, 180], [0, 0, 1]]), [-30.0, 0, 0]),
]
COUNT = 40
SOURCES = [CAMERAS[place % 2] for place in range(COUNT)]
MATRICES = np.array([source.matrix for source in SOURCES])
COLUMNS = np.array([source.translation_column for source in SOURCES])


def scene(noise_px: float) -> tuple[list[Pose], np.ndarray, np.ndarray, np.ndarray]:
    """True poses, sizes, corners with noise, and covariances."""
    rng = np.random.default_rng(3)
    sizes = rng.uniform(0.1, 0.4, (COUNT, 2))
    poses, corners = [], []
    for size, source in zip(sizes, SOURCES, strict=True):
        rotation = rotation_from_vector(rng.uniform(-0.6, 0.6, 3))
        pose = Pose(rotation, rng.uniform([-0.4, -0.3, 1], [0.4, 0.3, 2]))
        poses.append(pose)
        corners.append(project(pose, object_corners(tuple(size)), source))
    noisy = np.array(corners) + rng.normal(size=(COUNT, 4, 2)) * noise_px
    roots = rng.normal(size=(COUNT, 8, 8))
    return poses, sizes, noisy, roots @ np.swapaxes(roots, 1, 2)


def test_poses_are_found_exactly_without_noise() -> None:
    poses, sizes, corners, _ = scene(0.0)
    seen = RectanglesSeen(corners, sizes, MATRICES, COLUMNS)
    for pose, found in zip(poses, poses_from_sizes(seen, [None] * COUNT), strict=True):
        assert found is not None
        np.testing.assert_allclose(found.estimate.pose.rotation, pose.rotation, atol=1e-7)
        np.testing.assert_allclose(found.estimate.pose.translation, pose.translation, atol=1e-7)
        assert found.error_px2 < 1e-12


def test_poses_among_others_are_those_of_each_alone() -> None:
    _, sizes, corners, covariances = scene(1.0)
    corners[7] = corners[7][::-1]  # seen from behind: no pose
    seen = RectanglesSeen(corners, sizes, MATRICES, COLUMNS)
    found = poses_from_sizes(seen, [None if i % 5 == 0 else covariances[i] for i in range(COUNT)])
    for place, one in enumerate(found):
        arguments = (corners[place], SOURCES[place], tuple(sizes[place]))
        if place == 7:
            assert one is None
            with pytest.raises(InvalidTransformError, match="no rectangle in front"):
                pose_from_size(*arguments)
            continue
        covariance = None if place % 5 == 0 else covariances[place]
        alone = pose_from_size(*arguments, covariance)
        assert one is not None
        estimate = one.estimate
        np.testing.assert_allclose(estimate.pose.rotation, alone.pose.rotation, atol=1e-12)
        np.testing.assert_allclose(estimate.pose.translation, alone.pose.translation, atol=1e-12)
        assert estimate.ambiguity == pytest.approx(alone.ambiguity, rel=1e-9)
        assert (estimate.alternative is None) == (alone.alternative is None)
        assert (estimate.covariance is None) == (place % 5 == 0)
        if estimate.covariance is not None:
            np.testing.assert_allclose(estimate.covariance, alone.covariance, rtol=1e-9)


def test_both_poses_are_at_least_as_good_as_opencvs() -> None:
    _, sizes, corners, _ = scene(1.0)
    seen = RectanglesSeen(corners, sizes, MATRICES, COLUMNS)
    for place, found in enumerate(poses_from_sizes(seen, [None] * COUNT)):
        assert found is not None
        source, points = SOURCES[place], object_corners(tuple(sizes[place]))
        _, vectors, shifts, _ = cv2.solvePnPGeneric(
            points, corners[place], np.array(source.matrix), None, flags=cv2.SOLVEPNP_IPPE
        )
        theirs = []
        for vector, shift in zip(vectors, shifts, strict=True):
            refined = cv2.solvePnPRefineLM(
                points, corners[place], np.array(source.matrix), None, vector, shift
            )
            pose = Pose(cv2.Rodrigues(refined[0])[0], refined[1].ravel() - source.optical_offset)
            off = project(pose, points, source) - corners[place]
            theirs.append(float(np.square(off).sum()))
        ours = found.estimate.pose
        off = project(ours, points, source) - corners[place]
        assert found.error_px2 == pytest.approx(float(np.square(off).sum()), rel=1e-6)
        assert found.error_px2 <= min(theirs) * (1 + 1e-6)


def test_cameras_among_others_are_those_of_each_alone() -> None:
    _, _, corners, covariances = scene(2.0)
    frame_from_view = frame_from_view_of_quad(corners, *SIZE)
    view_from_frame = invert(frame_from_view)
    matrices, rotations, columns = camera_parts(view_from_frame, MATRICES, COLUMNS)
    skew_free = skew_free_views(frame_from_view, MATRICES, COLUMNS, SIZE)
    seen = orientations(rotations, corners, MATRICES, SIZE, covariances)
    for place, source in enumerate(SOURCES):
        camera = virtual_camera(np.linalg.inv(frame_from_view[place]), source, *SIZE)
        np.testing.assert_allclose(matrices[place], camera.view_matrix, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(rotations[place], camera.rotation, atol=1e-12)
        np.testing.assert_allclose(columns[place], camera.projection_column, atol=1e-9)
        one = nearest_skew_free(frame_from_view[place], source, *SIZE)
        np.testing.assert_allclose(skew_free[place], one, rtol=1e-9, atol=1e-9)
        alone = orientation_from_view(frame_from_view[place], source, *SIZE, covariances[place])
        np.testing.assert_allclose(seen[place].pose.rotation, alone.pose.rotation, atol=1e-12)
        # Central differences divide what is left of rounding by their step.
        np.testing.assert_allclose(seen[place].covariance, alone.covariance, rtol=1e-5)


def test_one_bad_matrix_is_enough_to_refuse_a_stack() -> None:
    stack = np.array([np.eye(3), np.diag([1.0, 1, 0])])
    for refuse in (invert, rq3):
        with pytest.raises(InvalidTransformError) as caught:
            refuse(stack)
        assert caught.value.reason == "singular"


def test_rotations_of_many_vectors() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    vectors[:2] *= 1e-9
    expected = [cv2.Rodrigues(vector)[0] for vector in vectors]
    np.testing.assert_allclose(rotations_from_vectors(vectors), expected, atol=1e-12)
