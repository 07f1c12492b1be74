# SPDX-License-Identifier: Apache-2.0
"""Claims about affine parts and the logarithm of homographies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    AffineParts,
    InvalidTransformError,
    decompose_affine,
    exp_sl3,
    homography_from_corners,
    interpolate_homography,
    log_sl3,
    recompose_affine,
    transform_points,
    view_corners,
)
from stn_perception.geometry.lie_stacks import interpolate_homographies

PARTS = st.builds(
    AffineParts,
    st.floats(-3.1, 3.1),
    st.floats(-2, 2),
    st.floats(0.01, 50),
    st.floats(0.01, 50),
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3),
)
TRACELESS = st.lists(st.floats(-1, 1), min_size=9, max_size=9).map(
    lambda values: (
        np.reshape(values, (3, 3)) - np.eye(3) * np.trace(np.reshape(values, (3, 3))) / 3
    )
)


@settings(deadline=None, max_examples=200)
@given(PARTS)
def test_affine_parts_survive_recomposition(parts: AffineParts) -> None:
    found = decompose_affine(recompose_affine(parts))
    np.testing.assert_allclose(
        list(vars(found).values()), list(vars(parts).values()), rtol=1e-9, atol=1e-9
    )


def test_a_positive_angle_turns_x_towards_y() -> None:
    matrix = recompose_affine(AffineParts(np.pi / 2, 0, 1, 1, 0, 0))
    np.testing.assert_allclose(transform_points(matrix, [[1, 0]]), [[0, 1]], atol=1e-15)


def test_two_rows_are_read_like_three() -> None:
    matrix = np.array([[1.0, 0.2, 3], [0.1, 2, 4], [0, 0, 1]])
    assert decompose_affine(matrix[:2]) == decompose_affine(matrix)
    assert decompose_affine(matrix * 4) == decompose_affine(matrix)


@pytest.mark.parametrize(
    ("reason", "matrix"),
    [
        ("mirrored", np.diag([1.0, -1, 1])),
        ("singular", np.array([[1.0, 2, 0], [2, 4, 0], [0, 0, 1]])),
        ("not_finite", np.full((2, 3), np.nan)),
        ("projective", np.array([[1.0, 0, 0], [0, 1, 0], [0.1, 0, 1]])),
    ],
)
def test_what_is_not_affine_is_not_decomposed(reason: str, matrix: np.ndarray) -> None:
    with pytest.raises(InvalidTransformError) as caught:
        decompose_affine(matrix)
    assert caught.value.reason == reason


@settings(deadline=None, max_examples=100)
@given(TRACELESS)
def test_the_exponential_is_its_series_and_the_logarithm_undoes_it(logarithm: np.ndarray) -> None:
    matrix = exp_sl3(logarithm)
    # torch.linalg.matrix_exp is good to 1e-10 only; the plain series in long double is better.
    term = oracle = np.eye(3, dtype=np.longdouble)
    for index in range(1, 60):
        term = term @ logarithm.astype(np.longdouble) / index
        oracle = oracle + term
    np.testing.assert_allclose(matrix, oracle.astype(np.float64), atol=1e-12, rtol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-12)
    found = log_sl3(matrix)
    np.testing.assert_allclose(exp_sl3(found), matrix, atol=1e-9, rtol=1e-9)
    if np.abs(np.linalg.eigvals(logarithm).imag).max() < 3:
        np.testing.assert_allclose(found, logarithm, atol=1e-7)


def test_interpolation_is_the_geodesic_of_a_turn() -> None:
    start, end = np.eye(3), recompose_affine(AffineParts(1.2, 0, 1, 1, 0, 0))
    half = interpolate_homography(start, end, 0.25)
    assert decompose_affine(half).angle_rad == pytest.approx(0.3)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-10, 10), min_size=8, max_size=8),
    st.lists(st.floats(-10, 10), min_size=8, max_size=8),
    st.floats(0, 1),
)
def test_interpolation_does_not_depend_on_the_axes(
    first: list[float], second: list[float], alpha: float
) -> None:
    corners = view_corners(64, 64)
    start = homography_from_corners(corners + np.reshape(first, (4, 2)) + 30, corners)
    end = homography_from_corners(corners + np.reshape(second, (4, 2)) + 30, corners)
    axes = np.array([[0.5, 0.1, 3], [-0.2, 0.7, 9], [1e-4, 0, 1]])
    between = interpolate_homography(start, end, alpha)
    for frame, view in ((axes, np.eye(3)), (np.eye(3), axes)):
        other = interpolate_homography(frame @ start @ view, frame @ end @ view, alpha)
        inside = np.linalg.inv(frame) @ other @ np.linalg.inv(view)
        np.testing.assert_allclose(
            transform_points(inside / inside[2, 2], corners),
            transform_points(between, corners),
            atol=1e-6,
        )
    for at, expected in ((0.0, start), (1.0, end)):
        np.testing.assert_allclose(
            transform_points(interpolate_homography(start, end, at), corners),
            transform_points(expected, corners),
            atol=1e-6,
        )


@pytest.mark.parametrize(
    "matrix",
    [np.diag([-1.0, -1, 1]), np.diag([-1.0, 1, 1]), np.full((3, 3), np.nan), np.eye(3) * 0],
)
def test_there_is_no_logarithm_of_a_half_turn_or_a_mirror(matrix: np.ndarray) -> None:
    with pytest.raises(InvalidTransformError):
        log_sl3(matrix)


def test_many_ways_at_once_are_those_of_each_pair() -> None:
    rng = np.random.default_rng(4)
    start = np.eye(3) + rng.normal(size=(60, 3, 3)) * 0.3
    end = np.eye(3) + rng.normal(size=(60, 3, 3)) * 0.3
    start[1], end[2], start[3] = np.nan, 0.0, np.diag([1.0, -1, 1])
    start[4], end[4] = np.eye(3), np.diag([-1.0, -1, 1])  # half a turn
    end[5] = start[5] = np.eye(3)
    end[6] = start[6] @ (np.eye(3) + rng.normal(size=(3, 3)) * 1e-6)
    moved, exists = interpolate_homographies(start, end, 0.4)
    for place in range(60):
        try:
            alone = interpolate_homography(start[place], end[place], 0.4)
        except InvalidTransformError:
            assert not exists[place]
            continue
        assert exists[place]
        np.testing.assert_allclose(moved[place], alone, atol=1e-10 * np.abs(alone).max())
    assert not exists[1:5].any()
    assert exists.sum() > 30
