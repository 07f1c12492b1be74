# SPDX-License-Identifier: Apache-2.0
"""Labels of rendered bodies: their outlines, and what share of them is hidden."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop.oriented import hull_of, outline_of_mask
from stn_perception.training.tabletop.renderer import NEAR_M, Camera, Placed
from stn_perception.training.tabletop.sample import Labelled

# An object that shows less than this cannot be asked for.
_LEAST_SEEN = 0.35
_LEAST_PIXELS = 60

Matrix = NDArray[np.float64]


def silhouette_area_px(placed: Placed, camera: Camera, fine: int) -> float:
    """Return the area of a body's silhouette within the picture, whatever hides it.

    Args:
        placed: the body.
        camera: what sees it; all of the body lies in front of it.
        fine: steps per pixel. Drawn triangles are half a step too large all round: with one step
            a bar of 40 × 10 pixels is 13 % too large, with four 3 %.
    """
    mesh = placed.mesh
    points = (camera.project(mesh.vertices) + 0.5) * fine - 0.5
    size = camera.size_px * fine
    low = np.clip(np.floor(points.min(axis=0)).astype(int) - 1, 0, size)
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2, 0, size)
    mask = np.zeros((max(high[1] - low[1], 1), max(high[0] - low[0], 1)), np.uint8)
    fixed = np.round((points - low)[mesh.triangles] * 16).astype(np.int32)
    for triangle in fixed:
        cv2.fillConvexPoly(mask, triangle, 1, cv2.LINE_8, 4)
    return float(mask.sum()) / fine**2


def labels(
    placed: Sequence[Placed], camera: Camera, owner: NDArray[np.int32], fine: int = 1
) -> list[Labelled]:
    """Label every body; those that show too little have an empty outline of what is seen.

    So have those that reach behind the camera: they have no outline in its picture.

    Args:
        placed: the bodies.
        camera: what sees them.
        owner: of each pixel, H×W.
        fine: how exactly ``hidden`` is measured (see ``silhouette_area_px``).
    """
    found = []
    for place, one in enumerate(placed):
        if camera.depths(one.mesh.vertices).min() < 2 * NEAR_M:
            found.append(Labelled(np.empty((0, 2)), np.empty((0, 2)), 1.0, one.body.kind))
            continue
        outline = hull_of(camera.project(one.mesh.vertices))
        seen = owner == place
        count = int(seen.sum())
        # What the frame cuts off is hidden too.
        within = max(silhouette_area_px(one, camera, fine), 1.0)
        hidden = float(np.clip(1 - count / (within / _share_within(outline, camera)), 0, 1))
        usable = count >= _LEAST_PIXELS and hidden <= 1 - _LEAST_SEEN
        visible = outline_of_mask(seen) if usable else np.empty((0, 2))
        found.append(Labelled(outline, visible, hidden, one.body.kind))
    return found


def _share_within(outline: Matrix, camera: Camera) -> float:
    size_px = camera.size_px
    frame = np.array([(0, 0), (size_px, 0), (size_px, size_px), (0, size_px)], np.float32) - 0.5
    area = cv2.contourArea(outline.astype(np.float32))
    common, _ = cv2.intersectConvexConvex(outline.astype(np.float32), frame)
    return float(np.clip(common / max(area, 1e-6), 0.02, 1.0))
