# SPDX-License-Identifier: Apache-2.0
"""Pseudo truth by methods without learning, each with the evidence for it in the picture.

Candidates are the four-cornered contours, minimum-area rectangles and moment rectangles of
everything large that a threshold or an edge detector separates; the one with the best evidence is
the label.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.classical import clockwise
from stn_perception.training.crops import cut

Floats = NDArray[np.float64]

_SIZE = 128
# A contour outside these shares of the crop cannot be the object that fills the box.
_LEAST_AREA, _MOST_AREA = 0.1, 0.9
# Gray levels across an outline that count as an edge for sure.
_SURE_EDGE = 24.0
# Standard deviation of what the object's box and the given box differ by, in half sides.
_BOX_SIGMA = 0.06


def pseudo_label(picture: NDArray[np.uint8], box: Floats, margin: float) -> tuple[Floats, float]:
    """Label one scene without knowing its truth.

    Args:
        picture: uint8 gray, H×W.
        box: the given box: centre x, centre y, width, height in pixels.
        margin: factor on the box that is looked at.

    Returns:
        corners, 4×2 in pixels of the picture, clockwise, and their confidence in [0, 1]: edge
        support of the weakest side, times how well the outline's extent agrees with the box.
        Where nothing is found: the box's corners at confidence 0.
    """
    half = box[2:] * margin / 2
    frame_from_crop = np.array([(half[0], 0, box[0]), (0, half[1], box[1]), (0, 0, 1)])
    crop = cut(picture, frame_from_crop, _SIZE)
    smooth = np.asarray(cv2.GaussianBlur(crop, (5, 5), 0), dtype=np.uint8)
    best, confidence = _square(1 / margin), 0.0
    for quad in _candidates(smooth):
        evidence = _edge_support(smooth, quad) * _agreement(quad, 1 / margin)
        if evidence > confidence:
            best, confidence = quad, evidence
    normalized = (2 * best + 1) / _SIZE - 1
    corners = normalized * half + box[:2]
    return corners, confidence


def _square(reach: float) -> Floats:
    own = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]) * reach
    return np.asarray((own + 1) * _SIZE / 2 - 0.5)


def _candidates(smooth: NDArray[np.uint8]) -> Iterator[Floats]:
    """Yield quadrilaterals, 4×2 in pixels of the crop, clockwise."""
    level, threshold = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edges = cv2.dilate(cv2.Canny(smooth, 0.5 * level, level), np.ones((3, 3), np.uint8))
    for mask in (threshold, cv2.bitwise_not(threshold), edges):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for contour in contours:
            share = cv2.contourArea(contour) / _SIZE**2
            if not _LEAST_AREA < share < _MOST_AREA:
                continue
            polygon = cv2.approxPolyDP(contour, 0.03 * cv2.arcLength(contour, True), True)
            if len(polygon) == 4 and cv2.isContourConvex(polygon):
                yield clockwise(polygon[:, 0].astype(np.float64))
            rectangle = cv2.boxPoints(cv2.minAreaRect(contour))
            yield clockwise(np.asarray(rectangle, dtype=np.float64))
            yield _moment_rectangle(np.asarray(contour, dtype=np.int32))


def _moment_rectangle(contour: NDArray[np.int32]) -> Floats:
    """Return the rectangle with the contour's area moments up to the second."""
    m = cv2.moments(contour)
    centre = np.array([m["m10"], m["m01"]]) / m["m00"]
    second = np.array([(m["mu20"], m["mu11"]), (m["mu11"], m["mu02"])]) / m["m00"]
    variances, axes = np.linalg.eigh(second)
    # A side of length a has variance a² / 12 along itself.
    sides = axes * np.sqrt(3 * np.maximum(variances, 0.0))
    own = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) @ sides.T
    return clockwise(own + centre)


def _edge_support(smooth: NDArray[np.uint8], quad: Floats) -> float:
    """Return how sure the weakest side lies on an edge, 0 to 1."""
    along = np.linspace(0.1, 0.9, 17)[None, :, None]
    starts, ends = quad[:, None], np.roll(quad, -1, axis=0)[:, None]
    points = starts + along * (ends - starts)
    direction = (ends - starts) / (np.linalg.norm(ends - starts, axis=2, keepdims=True) + 1e-9)
    normal = np.concatenate([direction[..., 1:], -direction[..., :1]], axis=2)
    inside, outside = (
        _bilinear(smooth, points + offset * normal).astype(np.float64) for offset in (-2.0, 2.0)
    )
    share = np.clip(np.abs(inside - outside) / _SURE_EDGE, 0, 1).mean(axis=1)
    return float(share.min())


def _bilinear(image: NDArray[np.uint8], points: Floats) -> NDArray[np.float32]:
    at = points.astype(np.float32)
    sampled = cv2.remap(
        image.astype(np.float32),
        np.ascontiguousarray(at[..., 0]),
        np.ascontiguousarray(at[..., 1]),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(sampled, dtype=np.float32)


def _agreement(quad: Floats, reach: float) -> float:
    """Return the likelihood of the outline's extent under the given box, 1 at its best."""
    normalized = (2 * quad + 1) / _SIZE - 1
    extent = np.concatenate([normalized.min(axis=0), normalized.max(axis=0)])
    error = (extent - reach * np.array([-1, -1, 1, 1])) / reach
    return float(np.exp(-0.5 * np.mean(error**2) / _BOX_SIGMA**2))
