# SPDX-License-Identifier: Apache-2.0
"""Claims about views as cameras."""

from __future__ import annotations

import dataclasses

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
    invert,
    nearest_skew_free,
    object_corners,
    project,
    residual_skew,
    rotation_from_vector,
    rq3,
    transform_points,
    uncalibrated_camera,
    view_corners,
    virtual_camera,
)

WIDTH, HEIGHT = 120, 80
K = np.array([[310.0, 0, 161], [0, 290, 118], [0, 0, 1]])
INTRINSICS = PinholeIntrinsics(K, np.zeros(3), 320, 240, "camera")

JITTERS = st.lists(st.floats(-0.24, 0.24), min_size=8, max_size=8)
TURNS = st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 3))


def quad_of(jitter: list[float]) -> FloatArray:
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    return np.asarray((unit + np.reshape(jitter, (4, 2))) * [90, 70] + [150, 110])


def view_from_quad(quad: FloatArray) -> FloatArray:
    return homography_from_corners(view_corners(WIDTH, HEIGHT), quad)


def plane_pose(turn: tuple[float, float, float]) -> Pose:
    in_plane = rotation_from_vector([0, 0, turn[2]])
    return Pose(
        rotation_from_vector([turn[0], turn[1], 0]) @ in_plane, np.array([0.05, -0.1, 1.3])
    )


def relative_difference(found: FloatArray, expected: FloatArray) -> float:
    found = found / np.linalg.norm(found)
    expected = expected / np.linalg.norm(expected)
    return float(min(np.abs(found - expected).max(), np.abs(found + expected).max()))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-5, 5), min_size=9, max_size=9).map(lambda v: np.reshape(v, (3, 3))))
def test_rq_gives_an_upper_triangle_and_a_rotation(matrix: FloatArray) -> None:
    # By products alone: elimination divides by pivots, which may be as small as numbers get.
    volume = matrix[0] @ np.cross(matrix[1], matrix[2])
    if abs(volume) < 1e-3:
        return
    matrix = matrix * np.sign(volume)
    upper, rotation = rq3(matrix)
    np.testing.assert_allclose(upper @ rotation, matrix, atol=1e-12)
    assert (np.diag(upper) > 0).all()
    assert np.abs(np.tril(upper, -1)).max() == 0
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    theirs = cv2.RQDecomp3x3(matrix)
    np.testing.assert_allclose(np.abs(theirs[1]), np.abs(upper), atol=1e-7)


def test_rq_refuses_a_mirror_and_a_singular_matrix() -> None:
    for matrix, reason in ((np.diag([1.0, -1, 1]), "mirrored"), (np.zeros((3, 3)), "singular")):
        with pytest.raises(InvalidTransformError) as caught:
            rq3(matrix)
        assert caught.value.reason == reason


@settings(deadline=None, max_examples=300)
@given(JITTERS, st.sampled_from([1.0, -1.0, 3e-5, -1e4]))
def test_virtual_camera_carries_the_exact_homography(jitter: list[float], scale: float) -> None:
    view_from_frame = view_from_quad(quad_of(jitter))
    camera = virtual_camera(scale * view_from_frame, INTRINSICS, WIDTH, HEIGHT)
    found = camera.view_matrix @ camera.rotation @ np.linalg.inv(K)
    assert relative_difference(found, view_from_frame) < 1e-9
    assert relative_difference(camera.view_from_frame, view_from_frame) < 1e-9
    assert camera.view_matrix[2, 2] == 1
    assert (np.diag(camera.view_matrix) > 0).all()
    assert np.linalg.det(camera.rotation) == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(JITTERS)
def test_the_virtual_camera_projects_points_where_the_view_shows_them(
    jitter: list[float],
) -> None:
    view_from_frame = view_from_quad(quad_of(jitter))
    # The right camera of a stereo pair, 12 cm to the side: P[:, 3] is not zero.
    source = PinholeIntrinsics(K, np.array([-310 * 0.12, 0, 0]), 320, 240)
    camera = virtual_camera(view_from_frame, source, WIDTH, HEIGHT)
    points = np.random.default_rng(1).uniform([-0.3, -0.2, 1], [0.3, 0.2, 2], (20, 3))
    frame = project(Pose(np.eye(3), np.zeros(3)), points, source)
    in_view = points @ camera.rotation.T
    homogeneous = in_view @ camera.view_matrix.T + camera.projection_column
    expected = np.column_stack([frame, np.ones(20)]) @ view_from_frame.T
    np.testing.assert_allclose(
        homogeneous[:, :2] / homogeneous[:, 2:], expected[:, :2] / expected[:, 2:], rtol=1e-8
    )


@settings(deadline=None, max_examples=100)
@given(TURNS)
def test_a_rectified_rectangle_has_no_skew_and_faces_the_view(
    turn: tuple[float, float, float],
) -> None:
    pose = plane_pose(turn)
    quad = project(pose, object_corners((0.3, 0.22)), INTRINSICS)
    camera = virtual_camera(view_from_quad(quad), INTRINSICS, WIDTH, HEIGHT)
    assert residual_skew(camera) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(camera.rotation.T, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(camera.rotation.T[:, 2], pose.normal, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "linear", "intrinsics"),
    [
        ("shear", np.array([[1, 0.3], [0, 1]]), np.diag([300.0, 300, 1])),
        (
            "axis scale, then rotation",
            np.array([[0.8, -0.6], [0.6, 0.8]]) @ np.diag([2, 1.0]),
            None,
        ),
        ("rotation where fx is not fy", np.array([[0.8, -0.6], [0.6, 0.8]]), K),
    ],
)
def test_what_no_rectangle_shows_leaves_skew(
    name: str, linear: FloatArray, intrinsics: FloatArray | None
) -> None:
    source = PinholeIntrinsics(np.diag([300.0, 300, 1]) if intrinsics is None else intrinsics)
    view_from_frame = np.eye(3)
    view_from_frame[:2, :2] = linear
    camera = virtual_camera(view_from_frame, source, WIDTH, HEIGHT)
    assert abs(residual_skew(camera)) > 0.02, name


@settings(deadline=None, max_examples=100)
@given(JITTERS)
def test_the_nearest_true_camera_has_no_skew_and_moves_the_corners_least(
    jitter: list[float],
) -> None:
    frame_from_view = invert(view_from_quad(quad_of(jitter)))
    given_camera = virtual_camera(invert(frame_from_view), INTRINSICS, WIDTH, HEIGHT)
    nearest = nearest_skew_free(frame_from_view, INTRINSICS, WIDTH, HEIGHT)
    camera = virtual_camera(invert(nearest), INTRINSICS, WIDTH, HEIGHT)
    assert residual_skew(camera) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(camera.rotation, given_camera.rotation, atol=1e-9)

    corners = view_corners(WIDTH, HEIGHT)
    rays = np.column_stack([corners, np.ones(4)]) @ np.linalg.inv(given_camera.view_matrix).T

    def displacement(parameters: FloatArray) -> float:
        fx, cx, fy, cy = parameters
        moved = rays[:, :2] / rays[:, 2:] * [fx, fy] + [cx, cy]
        return float(((moved - corners) ** 2).sum())

    best = camera.view_matrix[[0, 0, 1, 1], [0, 2, 1, 2]]
    least = displacement(best)
    for step in np.vstack([np.eye(4), -np.eye(4)]):
        assert displacement(best * (1 + 1e-3 * step)) >= least - 1e-9


def test_a_true_camera_is_its_own_nearest() -> None:
    quad = project(plane_pose((0.4, -0.3, 1)), object_corners((0.3, 0.22)), INTRINSICS)
    frame_from_view = invert(view_from_quad(quad))
    nearest = nearest_skew_free(frame_from_view, INTRINSICS, WIDTH, HEIGHT)
    np.testing.assert_allclose(
        transform_points(nearest, view_corners(WIDTH, HEIGHT)), quad, atol=1e-8
    )


def test_a_view_depth_is_the_third_component_of_the_turned_ray() -> None:
    pose = plane_pose((0.5, 0.2, 0.1))
    quad = project(pose, object_corners((0.3, 0.22)), INTRINSICS)
    camera = virtual_camera(view_from_quad(quad), INTRINSICS, WIDTH, HEIGHT)
    points = object_corners((0.3, 0.22)) @ pose.rotation.T + pose.translation
    scaled = points[:, 2] * (np.column_stack([quad, np.ones(4)]) @ camera.depth_row)
    np.testing.assert_allclose(scaled, (points @ camera.rotation.T)[:, 2])
    # The view faces the plane, so the plane has one depth in it.
    np.testing.assert_allclose(scaled, scaled[0])


def test_an_uncalibrated_view_carries_the_transform_itself() -> None:
    view_from_frame = view_from_quad(quad_of([0.1] * 8))
    camera = uncalibrated_camera(view_from_frame, WIDTH, HEIGHT)
    assert not camera.is_calibrated
    assert not camera.source_matrix.any()
    np.testing.assert_array_equal(camera.view_matrix @ camera.rotation, view_from_frame)
    np.testing.assert_array_equal(camera.view_from_frame, view_from_frame)


def test_what_is_no_camera_is_refused() -> None:
    with pytest.raises(InvalidTransformError):
        virtual_camera(np.full((3, 3), np.nan), INTRINSICS, WIDTH, HEIGHT)
    with pytest.raises(InvalidTransformError):
        virtual_camera(np.diag([1.0, 1, 0]), INTRINSICS, WIDTH, HEIGHT)
    with pytest.raises(InvalidTransformError):
        uncalibrated_camera(np.full((3, 3), np.inf), WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="determinant"):
        PinholeIntrinsics(np.zeros((3, 3)))
    with pytest.raises(ValueError, match="NaN"):
        PinholeIntrinsics(np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match="shapes"):
        PinholeIntrinsics(np.eye(2))


def test_intrinsics_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        INTRINSICS.width = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        INTRINSICS.matrix[0, 0] = 3
