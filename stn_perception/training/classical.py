# SPDX-License-Identifier: Apache-2.0
"""What is done without learning: the largest four-cornered contour, else a minimum-area box."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A contour smaller than this share of the crop cannot be the object that fills the box.
_LEAST_AREA = 0.15


def contour_quad(crop: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Find the object's corners in a crop by thresholds, edges and contours.

    Args:
        crop: uint8 gray, S×S.

    Returns:
        4×2 in pixels of the crop, clockwise. The largest convex contour with four corners wins;
        without one, the minimum-area rectangle of the largest contour; without any contour, the
        crop's inner part.
    """
    smooth = cv2.GaussianBlur(crop, (5, 5), 0)
    level, threshold = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edges = cv2.dilate(cv2.Canny(smooth, 0.5 * level, level), np.ones((3, 3), np.uint8))
    area = float(crop.shape[0] * crop.shape[1])
    quads: list[tuple[float, NDArray[np.float64]]] = []
    others: list[tuple[float, NDArray[np.int32]]] = []
    for mask in (threshold, cv2.bitwise_not(threshold), edges):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            size = cv2.contourArea(contour)
            if not _LEAST_AREA * area < size < 0.9 * area:
                continue
            polygon = cv2.approxPolyDP(contour, 0.03 * cv2.arcLength(contour, True), True)
            if len(polygon) == 4 and cv2.isContourConvex(polygon):
                quads.append((size, polygon[:, 0].astype(np.float64)))
            others.append((size, np.asarray(contour, dtype=np.int32)))
    if quads:
        return clockwise(max(quads, key=lambda item: item[0])[1])
    if others:
        rectangle = cv2.minAreaRect(max(others, key=lambda item: item[0])[1])
        return clockwise(np.asarray(cv2.boxPoints(rectangle), dtype=np.float64))
    low, high = 0.1 * crop.shape[0], 0.9 * crop.shape[0]
    return np.array([(low, low), (high, low), (high, high), (low, high)])


def clockwise(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners in clockwise order on the screen (x right, y down)."""
    x, y = corners[:, 0], corners[:, 1]
    area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    return corners if area > 0 else corners[::-1]
