# SPDX-License-Identifier: Apache-2.0
"""Claims about where pixels are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    centered_from_edge_pixels,
    normalized_from_pixel,
    pixel_from_normalized,
    resized_from_source,
    transform_points,
    view_center,
    view_corners,
)

SIZES = st.integers(1, 4000)


@settings(deadline=None, max_examples=50)
@given(SIZES, SIZES)
def test_normalised_axes_run_from_edge_to_edge(width: int, height: int) -> None:
    corners = transform_points(normalized_from_pixel(width, height), view_corners(width, height))
    np.testing.assert_allclose(corners, [[-1, -1], [1, -1], [1, 1], [-1, 1]], atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(SIZES, SIZES)
def test_normalised_axes_and_pixels_undo_each_other(width: int, height: int) -> None:
    product = pixel_from_normalized(width, height) @ normalized_from_pixel(width, height)
    np.testing.assert_allclose(product, np.eye(3), atol=1e-10)
    center = transform_points(pixel_from_normalized(width, height), [[0, 0]])[0]
    np.testing.assert_allclose(center, view_center(width, height))


def test_the_normalised_formula_is_the_documented_one() -> None:
    x = np.arange(7.0)
    mapped = transform_points(normalized_from_pixel(7, 3), np.column_stack([x, np.zeros(7)]))
    np.testing.assert_allclose(mapped[:, 0], (2 * x + 1) / 7 - 1, atol=1e-15)


@pytest.mark.parametrize(("scale", "size"), [(0.5, 40), (0.25, 20), (2.0, 160)])
def test_a_resize_maps_as_opencv_resizes(scale: float, size: int) -> None:
    ramp = np.tile(np.arange(80, dtype=np.float32), (4, 1))
    resized = cv2.resize(ramp, None, fx=scale, fy=1, interpolation=cv2.INTER_LINEAR)
    target_from_source = resized_from_source(scale, 1)
    x = transform_points(np.linalg.inv(target_from_source), [[i, 0] for i in range(size)])[:, 0]
    inner = slice(4, size - 4)
    np.testing.assert_allclose(resized[0, inner], x[inner], atol=1e-4)


def test_a_resize_keeps_the_edges() -> None:
    corners = transform_points(resized_from_source(0.5, 3), view_corners(640, 480))
    np.testing.assert_allclose(corners, view_corners(320, 1440))


def test_edge_coordinates_lose_half_a_pixel() -> None:
    corners = transform_points(centered_from_edge_pixels(), [[0, 0], [640, 480]])
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [639.5, 479.5]])


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (-1, 4), (float("nan"), 4)])
def test_a_view_without_area_is_refused(size: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected two positive numbers"):
        view_corners(*size)
