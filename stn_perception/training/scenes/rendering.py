# SPDX-License-Identifier: Apache-2.0
"""Planes and quadrilaterals as pixels, exact to a small part of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def coverage(corners: NDArray[np.float64], width: int, height: int) -> NDArray[np.float32]:
    """Return how much of each pixel a convex clockwise quadrilateral covers (edge-exact).

    Args:
        corners: 4×2 pixels.
        width: columns of the picture.
        height: rows of the picture.

    Returns:
        float32, ``height`` × ``width``, 0 to 1.
    """
    x = np.arange(width, dtype=np.float32)[None]
    y = np.arange(height, dtype=np.float32)[:, None]
    result: NDArray[np.float32] | None = None
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        edge = (end - start) / np.linalg.norm(end - start)
        # A pixel's extent across an edge is wider when the edge runs diagonally.
        extent = abs(edge[0]) + abs(edge[1])
        a, b = np.float32(-edge[1] / extent), np.float32(edge[0] / extent)
        c = np.float32(-(a * start[0] + b * start[1]) + 0.5)
        part = np.clip(a * x + (b * y + c), 0, 1)
        result = part if result is None else np.minimum(result, part)
    assert result is not None
    return result.astype(np.float32, copy=False)


def render_plane(
    plane: NDArray[np.uint8],
    frame_from_plane: NDArray[np.float64],
    width: int,
    height: int,
) -> NDArray[np.float32]:
    """Warp a plane's picture into the frame with two samples per pixel and axis.

    Args:
        plane: uint8 picture of the plane.
        frame_from_plane: 3×3, pixels of ``plane`` to pixels of the frame.
        width: columns of the frame.
        height: rows of the frame.

    Returns:
        float32, ``height`` × ``width``.
    """
    finer = np.array([(2.0, 0.0, 0.5), (0.0, 2.0, 0.5), (0.0, 0.0, 1.0)])
    fine = cv2.warpPerspective(
        plane,
        finer @ frame_from_plane,
        (2 * width, 2 * height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def plane_corners(width: int, height: int, pad_x: int = 0, pad_y: int = 0) -> NDArray[np.float64]:
    """Return the outer edges of a picture's inner part (all of it without padding), 4×2."""
    left, top = pad_x - 0.5, pad_y - 0.5
    right, bottom = left + width, top + height
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def edge_contrast(picture: NDArray[np.float32], corners: NDArray[np.float64]) -> float:
    """Return the gray levels by which a picture changes across the least visible edge.

    Args:
        picture: float32, H×W, before noise.
        corners: 4×2 pixels.
    """
    following = np.roll(corners, -1, axis=0)
    along = np.linspace(0.1, 0.9, 9)[None, :, None]
    points = corners[:, None] * (1 - along) + following[:, None] * along
    edges = following - corners
    lengths = np.linalg.norm(edges, axis=1, keepdims=True)
    normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / lengths
    reach = max(1.2, 0.035 * float(lengths.mean()))
    steps = np.linspace(-reach, reach, 5)[None, None, :, None]
    at = np.round(points[:, :, None] + normals[:, None, None] * steps).astype(int)
    x = np.clip(at[..., 0], 0, picture.shape[1] - 1)
    y = np.clip(at[..., 1], 0, picture.shape[0] - 1)
    changes = np.ptp(picture[y, x], axis=2)
    return float(np.median(changes, axis=1).min())
