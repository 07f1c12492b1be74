# SPDX-License-Identifier: Apache-2.0
"""Claims about where corner detectors say that corners are."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from stn_perception.geometry import (
    centered_from_edge_pixels,
    homography_from_corners,
    transform_points,
    view_corners,
)

SUPERSAMPLING = 8


def tag_image(quad: np.ndarray) -> np.ndarray:
    """A 36h11 tag with its outer black border on ``quad``, area-sampled onto 320×240."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    tag = cv2.aruco.generateImageMarker(dictionary, 3, 80, borderBits=1)
    tag = cv2.resize(tag, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    fine = quad * SUPERSAMPLING + (SUPERSAMPLING - 1) / 2
    fine_from_tag = homography_from_corners(fine, view_corners(640, 640))
    size = (320 * SUPERSAMPLING, 240 * SUPERSAMPLING)
    picture = cv2.warpPerspective(
        tag, fine_from_tag, size, flags=cv2.INTER_LINEAR, borderValue=255
    )
    return cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)


def test_pupil_apriltags_counts_from_edges(tag_detector: Any) -> None:
    quad = np.array([[100.3, 60.2], [201.1, 75.4], [190.7, 170.9], [95.6, 160.1]])
    (found,) = tag_detector.detect(tag_image(quad))
    converted = transform_points(centered_from_edge_pixels(), found.corners)
    order = [int(np.argmin(np.linalg.norm(converted - corner, axis=1))) for corner in quad]
    assert sorted(order) == [0, 1, 2, 3]
    bias = (converted[order] - quad).mean(axis=0)
    assert np.abs(bias).max() < 0.1
    assert np.abs(found.corners[order] - quad).mean() > 0.3
    assert np.linalg.norm(converted[order] - quad, axis=1).max() < 0.3


def test_opencv_subpixel_refinement_counts_from_centres() -> None:
    board = np.zeros((40 * 8, 40 * 8), np.uint8)
    board[: 20 * 8, : 20 * 8] = 255
    board[20 * 8 :, 20 * 8 :] = 255
    picture = cv2.resize(board, (40, 40), interpolation=cv2.INTER_AREA)
    start = np.array([[[20.0, 19.0]]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    refined = cv2.cornerSubPix(picture, start, (5, 5), (-1, -1), criteria)
    # The corner lies on the edge between pixels 19 and 20.
    np.testing.assert_allclose(refined[0, 0], [19.5, 19.5], atol=0.02)
