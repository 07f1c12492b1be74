# SPDX-License-Identifier: Apache-2.0
"""Maps over a crop, told in the predicted object's own axes: its corners, edges, inside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.view_axes import cell_centres

Map = NDArray[np.float64]
REGIONS = ("corners", "edges", "inside", "outside")
# How far an edge's and a corner's region reach, in half sides of the object.
_EDGE_REACH, _CORNER_REACH = 0.2, 0.4


def object_axes(theta: Map, width: int, height: int) -> Map:
    """Where each pixel of a crop lies in the predicted object, h×w×2; its sides are at ±1.

    Args:
        theta: 3×3, crop_from_view in normalised axes.
        width: of the crop.
        height: of the crop.
    """
    x, y = np.meshgrid(cell_centres(width), cell_centres(height))
    points = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(theta).T
    return np.asarray(points[..., :2] / points[..., 2:])


def region_masks(axes: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Tell corners, the rest of the edges, the inside and the outside of an object apart."""
    far = np.abs(axes)
    off = np.abs(far - 1)
    near_edge = (off.min(axis=-1) < _EDGE_REACH) & (far.max(axis=-1) < 1 + _EDGE_REACH)
    corner = (off.max(axis=-1) < _CORNER_REACH) & (far.max(axis=-1) < 1 + _EDGE_REACH)
    return {
        "corners": corner,
        "edges": near_edge & ~corner,
        "inside": (far.max(axis=-1) < 1) & ~near_edge & ~corner,
        "outside": (far.max(axis=-1) >= 1) & ~near_edge & ~corner,
    }


def region_shares(weights: Map, masks: dict[str, NDArray[np.bool_]]) -> dict[str, float]:
    """Share of a map that falls into each region."""
    total = max(float(weights.sum()), 1e-12)
    return {name: float(weights[mask].sum()) / total for name, mask in masks.items()}


def in_object_axes(theta: Map, weights: Map, size: int, reach: float) -> Map:
    """Draw a crop's map in the object's own axes, size×size over ±``reach`` half sides."""
    height, width = weights.shape
    line = cell_centres(size) * reach
    points = np.stack([*np.meshgrid(line, line), np.ones((size, size))], axis=-1) @ theta.T
    points = points[..., :2] / points[..., 2:]
    x = ((points[..., 0] + 1) * width - 1) / 2
    y = ((points[..., 1] + 1) * height - 1) / 2
    drawn = cv2.remap(
        weights.astype(np.float32), x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR
    )
    return np.asarray(drawn, dtype=np.float64)
