# SPDX-License-Identifier: Apache-2.0
"""Claims about propagating corner uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from stn_perception.geometry import (
    OrientedBox,
    as_corner_covariance,
    corner_sigma_px,
    crop_variances_px,
    exp_sl3,
    frame_from_crop,
    homography_covariance,
    homography_from_corners,
    nearest_rotation,
    normalize_homography,
    rotation_from_vector,
    transform_points,
    transformed_corner_covariance,
    vector_from_rotation,
    view_corners,
)


def test_normalised_variances_become_pixels() -> None:
    variances = crop_variances_px(np.log(np.full(8, 0.01)), 64, 32)
    np.testing.assert_allclose(np.sqrt(variances), np.tile([0.1 * 32, 0.1 * 16], 4))
    with pytest.raises(ValueError, match=r"expected \(8,\)"):
        crop_variances_px(np.zeros(4), 64, 64)


def test_a_turned_and_scaled_crop_turns_and_scales_its_covariance() -> None:
    matrix = frame_from_crop(OrientedBox(100, 50, 128, 192, np.pi / 2), 1, 64, 64, "stretch")
    covariance = transformed_corner_covariance(
        matrix, view_corners(64, 64), np.tile([1.0, 0.0], 4)
    )
    # Crop x, enlarged twice, lies along frame y.
    np.testing.assert_allclose(np.diag(covariance), np.tile([0.0, 4.0], 4), atol=1e-12)
    assert corner_sigma_px(covariance) == pytest.approx(np.sqrt(2))


def test_projective_propagation_is_that_of_repeated_measurements() -> None:
    generator = np.random.default_rng(0)
    crop = view_corners(64, 64)
    matrix = homography_from_corners([[100, 90], [180, 110], [170, 200], [90, 150]], crop)
    corners = np.array([[10.0, 8], [50, 14], [55, 50], [6, 44]])
    root = generator.normal(0, 0.1, (8, 8))
    covariance = root @ root.T
    samples = generator.multivariate_normal(corners.ravel(), covariance, 4000)
    mapped = np.array([transform_points(matrix, s.reshape(4, 2)).ravel() for s in samples])
    predicted = transformed_corner_covariance(matrix, corners, covariance)
    np.testing.assert_allclose(
        np.cov(mapped.T), predicted, atol=0.1 * float(np.abs(predicted).max())
    )


def test_the_covariance_of_a_homography_is_that_of_repeated_measurements() -> None:
    generator = np.random.default_rng(1)
    source, target = view_corners(64, 64), np.array([[10.0, 8], [150, 14], [155, 150], [6, 140]])
    samples = [
        normalize_homography(
            homography_from_corners(target + generator.normal(0, 0.2, (4, 2)), source)
        ).ravel()
        for _ in range(1500)
    ]
    predicted = homography_covariance(target, source, np.full(8, 0.04))
    scale = np.sqrt(np.diag(predicted)) + 1e-12
    np.testing.assert_allclose(np.std(samples, axis=0)[:8], scale[:8], rtol=0.1)
    assert predicted[8, 8] == pytest.approx(0, abs=1e-12)


def test_a_covariance_of_another_shape_or_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(8, 8\)"):
        as_corner_covariance(np.eye(6))
    with pytest.raises(ValueError, match="NaN"):
        as_corner_covariance(np.full(8, np.nan))


def test_rotation_vectors_come_back() -> None:
    generator = np.random.default_rng(4)
    for length in (0.0, 1e-9, 1e-4, 1.0, 3.0):
        axis = generator.normal(size=3)
        vector = axis / np.linalg.norm(axis) * length
        rotation = rotation_from_vector(vector)
        np.testing.assert_allclose(vector_from_rotation(rotation), vector, atol=1e-12)
        skew = np.array(
            [[0, -vector[2], vector[1]], [vector[2], 0, -vector[0]], [-vector[1], vector[0], 0]]
        )
        np.testing.assert_allclose(rotation, exp_sl3(skew), atol=1e-12)
        np.testing.assert_allclose(nearest_rotation(1.7 * rotation), rotation, atol=1e-12)
