# SPDX-License-Identifier: Apache-2.0
"""Claims about composing, inverting, finding and refusing homographies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    FloatArray,
    InvalidTransformError,
    check_view_transform,
    compose,
    homography_from_corners,
    invert,
    is_convex_clockwise,
    jacobian_at,
    normalize_homography,
    numeric_jacobian,
    transform_points,
    view_corners,
)

WIDTH, HEIGHT = 96, 64


@st.composite
def quads(draw: st.DrawFn) -> FloatArray:
    """Convex clockwise quads somewhere in a frame, up to strong perspective."""
    jitter = draw(st.lists(st.floats(-0.24, 0.24), min_size=8, max_size=8))
    size = draw(st.floats(5, 2000))
    center = draw(st.tuples(st.floats(-500, 3000), st.floats(-500, 3000)))
    angle = draw(st.floats(-np.pi, np.pi))
    unit = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    quad = unit + np.reshape(jitter, (4, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    quad = quad @ np.array([[cos, sin], [-sin, cos]]) * size + center
    assert is_convex_clockwise(quad)
    return np.asarray(quad)


@settings(deadline=None, max_examples=100)
@given(quads(), quads())
def test_four_corners_are_met_exactly(target: FloatArray, source: FloatArray) -> None:
    target_from_source = homography_from_corners(target, source)
    size = np.ptp(target, axis=0).max()
    np.testing.assert_allclose(
        transform_points(target_from_source, source), target, atol=1e-8 * size + 1e-9
    )


@settings(deadline=None, max_examples=50)
@given(quads())
def test_four_corners_agree_with_opencv(target: FloatArray) -> None:
    source = view_corners(WIDTH, HEIGHT)
    ours = normalize_homography(homography_from_corners(target, source))
    theirs = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    points = np.random.default_rng(0).uniform(0, HEIGHT - 1, (20, 2))
    size = np.ptp(target, axis=0).max()
    np.testing.assert_allclose(
        transform_points(ours, points), transform_points(theirs, points), atol=1e-4 * size + 1e-3
    )


@settings(deadline=None, max_examples=50)
@given(quads(), quads())
def test_composition_reads_like_the_names(middle: FloatArray, first: FloatArray) -> None:
    frame_from_crop = homography_from_corners(first, view_corners(WIDTH, HEIGHT))
    crop_from_view = homography_from_corners(
        view_corners(WIDTH, HEIGHT) + (middle - middle.mean(0)) / 4000, view_corners(32, 32)
    )
    points = np.array([[3.0, 4.0], [20.0, 11.0]])
    once = transform_points(compose(frame_from_crop, crop_from_view), points)
    twice = transform_points(frame_from_crop, transform_points(crop_from_view, points))
    np.testing.assert_allclose(once, twice, rtol=1e-9, atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(quads())
def test_the_inverse_maps_back(quad: FloatArray) -> None:
    frame_from_view = homography_from_corners(quad, view_corners(WIDTH, HEIGHT))
    back = transform_points(invert(frame_from_view), quad)
    np.testing.assert_allclose(back, view_corners(WIDTH, HEIGHT), atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(quads(), st.floats(0, WIDTH - 1), st.floats(0, HEIGHT - 1))
def test_the_jacobian_is_the_derivative(quad: FloatArray, x: float, y: float) -> None:
    matrix = homography_from_corners(quad, view_corners(WIDTH, HEIGHT))
    numeric = numeric_jacobian(lambda at: transform_points(matrix, at[None])[0], [x, y], 1e-4)
    size = float(np.ptp(quad, axis=0).max())
    np.testing.assert_allclose(jacobian_at(matrix, [x, y]), numeric, atol=1e-6 * size)


@settings(deadline=None, max_examples=50)
@given(quads(), st.sampled_from([1.0, -1.0, 1e-6, -1e9]))
def test_a_good_view_passes_at_any_scale_and_sign(quad: FloatArray, scale: float) -> None:
    matrix = homography_from_corners(quad, view_corners(WIDTH, HEIGHT))
    check_view_transform(scale * matrix, WIDTH, HEIGHT)
    mapped = transform_points(normalize_homography(scale * matrix), view_corners(WIDTH, HEIGHT))
    np.testing.assert_allclose(mapped, quad, atol=1e-6 * float(np.ptp(quad, axis=0).max()) + 1e-7)


def test_points_behind_the_camera_are_nan() -> None:
    matrix = np.array([[1, 0, 0], [0, 1, 0], [-0.1, 0, 1]])
    mapped = transform_points(matrix, [[0, 0], [5, 1], [10, 1], [20, 1]])
    assert np.isfinite(mapped[:2]).all()
    assert np.isnan(mapped[2:]).all()


@pytest.mark.parametrize(
    ("reason", "matrix"),
    [
        ("not_finite", np.full((3, 3), np.nan)),
        ("not_finite", np.diag([1.0, np.inf, 1.0])),
        ("mirrored", np.diag([-1.0, 1.0, 1.0])),
        ("singular", np.diag([1.0, 0.0, 1.0])),
        ("folded", np.array([[1.0, 0, 0], [0, 1, 0], [-0.02, 0, 1]])),
        ("folded", np.zeros((3, 3))),
        ("degenerate", np.diag([1e-6, 1e-6, 1.0])),
        ("degenerate", np.array([[1.0, 1, 0], [1, 1 + 1e-12, 0], [0, 0, 1]])),
    ],
)
def test_what_is_no_view_is_refused_with_its_reason(reason: str, matrix: FloatArray) -> None:
    with pytest.raises(InvalidTransformError) as caught:
        check_view_transform(matrix, WIDTH, HEIGHT)
    assert caught.value.reason == reason
    assert str(caught.value)


def test_a_view_that_only_touches_the_fold_outside_passes() -> None:
    check_view_transform(np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]]), WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "corners",
    [
        np.zeros((4, 2)),
        np.array([[0, 0], [1, 1], [2, 2], [0, 5.0]]),
        np.array([[0, 0], [1, 0], [1, np.nan], [0, 1.0]]),
    ],
)
def test_corners_on_a_line_are_refused(corners: FloatArray) -> None:
    with pytest.raises(InvalidTransformError):
        homography_from_corners(corners, view_corners(8, 8))
    with pytest.raises(InvalidTransformError):
        homography_from_corners(view_corners(8, 8), corners)


def test_a_singular_transform_has_no_inverse() -> None:
    with pytest.raises(InvalidTransformError) as caught:
        invert(np.diag([1.0, 1.0, 0.0]))
    assert caught.value.reason == "singular"


def test_a_transform_without_corner_scale_gets_unit_determinant() -> None:
    matrix = np.array([[0.0, 0, -8], [0, 1, 0], [1, 0, 0]])
    assert np.linalg.det(normalize_homography(matrix)) == pytest.approx(1)


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(3, 3\)"):
        compose(np.eye(3)[:2])
    with pytest.raises(ValueError, match=r"expected \(N, 2\)"):
        transform_points(np.eye(3), [1.0, 2.0])
