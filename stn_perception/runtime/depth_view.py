# SPDX-License-Identifier: Apache-2.0
"""Depth as a view's own camera would measure it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.virtual_camera import VirtualCamera

Matrix = NDArray[np.float64]


def depth_view(
    meters: NDArray[np.float32],
    frame_from_view: Matrix,
    camera: VirtualCamera,
    intrinsics: PinholeIntrinsics,
) -> NDArray[np.float32]:
    """Depth along the view's z axis, float32 height×width metres, NaN where unknown.

    Turning a camera changes z: a depth d at source pixel ũ is d · (R″·K⁻¹·ũ)[2] in the view
    (less the same component of a source's optical offset). Depths are taken from the nearest
    pixel and never mixed, so nothing is invented across an edge or an unknown pixel.

    Args:
        meters: float32 H×W of the frame, NaN where unknown.
        frame_from_view: 3×3 in pixels; w > 0 is in front of the camera.
        camera: The view's camera, of a calibrated source.
        intrinsics: The source's.
    """
    rows, columns = np.mgrid[0 : camera.height, 0 : camera.width]
    ones = np.ones(rows.size)
    u, v, w = frame_from_view @ np.stack([columns.ravel(), rows.ravel(), ones])
    front = w > 0
    safe = np.where(front, w, 1.0)
    far = float(2**31)
    column = np.rint(np.clip(u / safe, -far, far)).astype(np.int64)
    row = np.rint(np.clip(v / safe, -far, far)).astype(np.int64)
    height, width = meters.shape
    inside = front & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    depth = np.full(rows.size, np.nan)
    column, row = column[inside], row[inside]
    ray_z = camera.depth_row @ np.stack([column, row, np.ones(len(row))])
    offset_z = float(camera.rotation[2] @ intrinsics.optical_offset)
    depth[inside] = meters[row, column] * ray_z - offset_z
    depth[~(depth > 0)] = np.nan
    return depth.reshape(camera.height, camera.width).astype(np.float32)
