# SPDX-License-Identifier: Apache-2.0
"""The poses of objects' planes from the best of what is known about each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import PlanarPoseEstimate
from stn_perception.geometry.depth_pose import pose_from_depth
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.planar_pose import orientations
from stn_perception.geometry.size_pose import PoseFound, RectanglesSeen, poses_from_sizes
from stn_perception.runtime.frame import DepthFrame

Matrix = NDArray[np.float64]
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PlaneSeen:
    """An object of a calibrated camera, and what is known about it.

    Attributes:
        corners: 4×2 pixels of the frame.
        intrinsics: The source camera's.
        sizes_m: Widths and heights that the object may have along the view's axes, the one that
            fits best being taken; empty where none is known.
        depth: Depth image of the frame, or None.
        corner_covariance: 8×8 in square frame pixels, or None.
    """

    corners: Matrix
    intrinsics: PinholeIntrinsics
    sizes_m: Sequence[tuple[float, float]]
    depth: DepthFrame | None
    corner_covariance: Matrix | None


def object_poses(
    planes: Sequence[PlaneSeen],
    view_size: tuple[int, int],
    view_from_optical: Callable[[NDArray[np.intp]], Matrix],
) -> list[PlanarPoseEstimate]:
    """Poses from known sizes, else from depth, else the orientation alone.

    What does not admit a pose (too few depths, corners that no rectangle has) gives way to the
    next; ``source`` of each result says which it was.

    Args:
        planes: N objects.
        view_size: Width and height of their views in pixels.
        view_from_optical: Gives the rotations M×3×3 of the virtual cameras of some of them.
    """
    poses: dict[int, PlanarPoseEstimate] = _from_sizes(planes)
    for place, plane in enumerate(planes):
        if place not in poses and plane.depth is not None:
            pose = _from_depth(plane, plane.depth)
            if pose is not None:
                poses[place] = pose
    for has_covariance in (True, False):
        rest = [
            place
            for place, plane in enumerate(planes)
            if place not in poses and (plane.corner_covariance is not None) == has_covariance
        ]
        if rest:
            found = orientations(
                view_from_optical(np.array(rest)),
                np.array([planes[place].corners for place in rest]),
                np.array([planes[place].intrinsics.matrix for place in rest]),
                view_size,
                np.array([planes[place].corner_covariance for place in rest])
                if has_covariance
                else None,
            )
            poses.update(zip(rest, found, strict=True))
    return [poses[place] for place in range(len(planes))]


def _from_sizes(planes: Sequence[PlaneSeen]) -> dict[int, PlanarPoseEstimate]:
    tried = [(place, size) for place, plane in enumerate(planes) for size in plane.sizes_m]
    if not tried:
        return {}
    chosen = [planes[place] for place, _ in tried]
    seen = RectanglesSeen(
        np.array([plane.corners for plane in chosen]),
        np.array([size for _, size in tried]),
        np.array([plane.intrinsics.matrix for plane in chosen]),
        np.array([plane.intrinsics.translation_column for plane in chosen]),
    )
    best: dict[int, PoseFound] = {}
    found = poses_from_sizes(seen, [plane.corner_covariance for plane in chosen])
    for (place, size), pose in zip(tried, found, strict=True):
        if pose is None:
            _LOGGER.debug("no pose of object %d from the size %s", place, size)
        elif place not in best or pose.error_px2 < best[place].error_px2:
            best[place] = pose
    return {place: pose.estimate for place, pose in best.items()}


def _from_depth(plane: PlaneSeen, depth: DepthFrame) -> PlanarPoseEstimate | None:
    try:
        return pose_from_depth(
            plane.corners, depth.meters, plane.intrinsics, plane.corner_covariance
        )
    except InvalidTransformError as error:
        _LOGGER.debug("no pose from depth: %s", error)
        return None
