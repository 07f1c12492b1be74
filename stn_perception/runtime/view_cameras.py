# SPDX-License-Identifier: Apache-2.0
"""The views that are handed out, and the virtual cameras that see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import oriented_rows_of_views
from stn_perception.geometry.homography import invert
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.views import seen_views
from stn_perception.geometry.virtual_camera import (
    VirtualCamera,
    camera_parts,
    skew_free_views,
    uncalibrated_camera,
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewCameras:
    """N views as they are handed out.

    Attributes:
        frame_from_view: N×3×3 in pixels.
        corners: N×4×2 pixels, the views' corners in the frame.
        boxes: Oriented boxes of the views in the frame, rows N×5.
        cameras: The view as a camera, each.
    """

    frame_from_view: Matrix
    corners: Matrix
    boxes: Matrix
    cameras: list[VirtualCamera]


def view_cameras(
    frame_from_view: Matrix,
    corners: Matrix,
    view_size: tuple[int, int],
    intrinsics: Sequence[PinholeIntrinsics | None],
    make_skew_free: bool,
) -> ViewCameras:
    """Views and their cameras.

    Args:
        frame_from_view: N×3×3 in pixels, in front of the camera.
        corners: N×4×2 pixels, the views' corners in the frame.
        view_size: Width and height of the views in pixels.
        intrinsics: The source camera's of each view, or None.
        make_skew_free: Whether a calibrated view becomes the nearest true camera's.

    Raises:
        InvalidTransformError: A view is no camera, or its skew-free one folds.
    """
    calibrated = np.array([place for place, one in enumerate(intrinsics) if one is not None])
    matrices, columns = _sources([one for one in intrinsics if one is not None])
    if make_skew_free and len(calibrated):
        frame_from_view = frame_from_view.copy()
        frame_from_view[calibrated] = skew_free_views(
            frame_from_view[calibrated], matrices, columns, view_size
        )
        seen = seen_views(frame_from_view, *view_size)
        for fault in seen.faults.values():  # a skew-free view is wider, and may reach behind
            raise fault
        frame_from_view, corners = seen.frame_from_view, seen.corners
    view_from_frame = invert(frame_from_view)
    cameras: list[VirtualCamera] = []
    if len(calibrated):
        parts = camera_parts(view_from_frame[calibrated], matrices, columns)
        by_place = dict(zip(calibrated.tolist(), zip(*parts, matrices, strict=True), strict=True))
    for place, inverse in enumerate(view_from_frame):
        if intrinsics[place] is None:
            cameras.append(uncalibrated_camera(inverse, *view_size))
        else:
            view_matrix, rotation, column, source = by_place[place]
            cameras.append(VirtualCamera(view_matrix, rotation, column, *view_size, source))
    boxes = oriented_rows_of_views(frame_from_view, *view_size)
    return ViewCameras(frame_from_view, corners, boxes, cameras)


def _sources(intrinsics: Sequence[PinholeIntrinsics]) -> tuple[Matrix, Matrix]:
    """K N×3×3 and P[:, 3] N×3."""
    matrices = np.array([one.matrix for one in intrinsics]).reshape(-1, 3, 3)
    columns = np.array([one.translation_column for one in intrinsics]).reshape(-1, 3)
    return matrices, columns


def rotations_of_views(frame_from_view: Matrix, intrinsics: Sequence[PinholeIntrinsics]) -> Matrix:
    """R″ N×3×3, view_from_optical, of views of calibrated cameras."""
    return camera_parts(invert(frame_from_view), *_sources(intrinsics))[1]
