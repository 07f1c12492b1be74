# SPDX-License-Identifier: Apache-2.0
"""The pose of an object's plane from the best of what is known about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import PlanarPoseEstimate
from stn_perception.geometry.depth_pose import pose_from_depth
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.planar_pose import (
    object_corners,
    orientation_from_view,
    pose_from_size,
    project,
)
from stn_perception.geometry.quads import view_quad
from stn_perception.runtime.frame import DepthFrame

Matrix = NDArray[np.float64]
_LOGGER = logging.getLogger(__name__)


def object_pose(
    frame_from_view: Matrix,
    view_size: tuple[int, int],
    intrinsics: PinholeIntrinsics | None,
    sizes_m: Sequence[tuple[float, float]],
    depth: DepthFrame | None,
    corner_covariance: Matrix | None,
) -> PlanarPoseEstimate | None:
    """Pose from a known size, else from depth, else the orientation alone.

    What does not admit a pose (too few depths, corners that no rectangle has) gives way to the
    next; ``source`` of the result says which it was. None without calibration, or where even
    the orientation is impossible.

    Args:
        frame_from_view: 3×3 in pixels, the network's full transform.
        view_size: Width and height of the view in pixels.
        intrinsics: The source camera's, or None.
        sizes_m: Widths and heights that the object may have along the view's axes, the one that
            fits best being taken; empty where none is known.
        depth: Depth image of the frame, or None.
        corner_covariance: 8×8 in square frame pixels, or None.
    """
    if intrinsics is None:
        return None
    quad = view_quad(frame_from_view, *view_size)
    if sizes_m:
        pose = _best_pose_from_size(quad, intrinsics, sizes_m, corner_covariance)
        if pose is not None:
            return pose
    if depth is not None:
        try:
            pose = pose_from_depth(quad, depth.meters, intrinsics, corner_covariance)
            if pose is not None:
                return pose
        except InvalidTransformError as error:
            _LOGGER.debug("no pose from depth: %s", error)
    try:
        return orientation_from_view(frame_from_view, intrinsics, *view_size, corner_covariance)
    except InvalidTransformError as error:
        _LOGGER.debug("no orientation from the view: %s", error)
        return None


def _best_pose_from_size(
    quad: Matrix,
    intrinsics: PinholeIntrinsics,
    sizes_m: Sequence[tuple[float, float]],
    corner_covariance: Matrix | None,
) -> PlanarPoseEstimate | None:
    best, least = None, np.inf
    for size_m in sizes_m:
        try:
            pose = pose_from_size(quad, intrinsics, size_m, corner_covariance)
        except InvalidTransformError as error:
            _LOGGER.debug("no pose from the size %s: %s", size_m, error)
            continue
        seen = project(pose.pose, object_corners(size_m), intrinsics)
        error_px2 = float(np.square(seen - quad).sum())
        if error_px2 < least:
            best, least = pose, error_px2
    return best
