# SPDX-License-Identifier: Apache-2.0
"""Where a planar object is: from its known size, or its orientation alone from the view.

Convention: the object's frame lies in its plane, x right and y down along the view's axes, z into
the object (away from the viewer), origin at the quad's centre. A pose is
``optical_from_object``. Covariances are 6×6 in the order of ROS: x, y, z in metres, then rotation
in radians about the fixed x, y and z axes of the optical frame.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_corners, as_matrix3, check_size
from stn_perception.geometry.depth_pose import pose_from_depth
from stn_perception.geometry.homography import InvalidTransformError, invert
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.matrices import determinants, inverses, orthonormal_columns
from stn_perception.geometry.pose import PlanarPoseEstimate, Pose, PoseSource
from stn_perception.geometry.quads import frame_from_view_of_quad, view_quad
from stn_perception.geometry.size_pose import RectanglesSeen, poses_from_sizes
from stn_perception.geometry.uncertainty import as_corner_covariance
from stn_perception.geometry.virtual_camera import camera_parts

__all__ = [
    "PlanarPoseEstimate",
    "Pose",
    "PoseSource",
    "object_corners",
    "orientation_from_view",
    "orientations",
    "pose_from_depth",
    "pose_from_size",
    "project",
]


def object_corners(size_m: tuple[float, float]) -> FloatArray:
    """Corners of a rectangle of (width, height) metres in the object's frame, 4×3."""
    width, height = size_m
    check_size(width, height, "object")
    x, y = width / 2, height / 2
    return np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]])


def project(pose: Pose, points: ArrayLike, intrinsics: PinholeIntrinsics) -> FloatArray:
    """Pixels N×2 of N×3 points of the object's frame."""
    camera_points = np.asarray(points) @ pose.rotation.T + pose.translation
    homogeneous = camera_points @ intrinsics.matrix.T + intrinsics.translation_column
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def pose_from_size(
    corners_frame: ArrayLike,
    intrinsics: PinholeIntrinsics,
    size_m: tuple[float, float],
    corner_covariance: ArrayLike | None = None,
) -> PlanarPoseEstimate:
    """Pose of a rectangle of known size from its four corners in the frame.

    IPPE (Collins and Bartoli 2014) gives both solutions; each is then refined to the least
    squared reprojection error, and they are ordered by it.

    Args:
        corners_frame: 4×2 pixels, TL, TR, BR, BL of the view.
        intrinsics: of the rectified frame.
        size_m: width and height of the object in metres.
        corner_covariance: 8×8 (or 8 variances) in pixels², for the pose's covariance.

    Raises:
        InvalidTransformError: no rectangle in front of the camera looks like that.
    """
    corners = as_corners(corners_frame, "corners_frame")
    if not np.isfinite(corners).all():
        raise InvalidTransformError("not_finite", "a corner is NaN or infinite")
    check_size(*size_m, "object")
    seen = RectanglesSeen(
        corners[None],
        np.array([size_m], dtype=np.float64),
        intrinsics.matrix[None],
        intrinsics.translation_column[None],
    )
    covariance = None if corner_covariance is None else as_corner_covariance(corner_covariance)
    (found,) = poses_from_sizes(seen, [covariance])
    if found is None:
        raise InvalidTransformError(
            "degenerate", f"no rectangle in front of the camera has the corners {corners.tolist()}"
        )
    return found.estimate


def orientation_from_view(
    frame_from_view: ArrayLike,
    intrinsics: PinholeIntrinsics,
    width: int,
    height: int,
    corner_covariance: ArrayLike | None = None,
) -> PlanarPoseEstimate:
    """Orientation of the plane that a view rectifies, without its size: R″ᵀ of the virtual camera.

    Exact where the view is the rectification of a rectangle (zero residual skew); no second
    solution exists then. The translation is NaN, and its variances infinite. Arguments as in
    :func:`pose_from_size`, ``width`` and ``height`` being the view's. Raises
    InvalidTransformError.
    """
    transform = as_matrix3(frame_from_view)[None]
    matrices, columns = intrinsics.matrix[None], intrinsics.translation_column[None]
    _, rotations, _ = camera_parts(invert(transform), matrices, columns)
    covariances = None
    if corner_covariance is not None:
        covariances = as_corner_covariance(corner_covariance)[None]
    # The view's corners lie where they do for either sign of the transform.
    sign = 1.0 if transform[0, 2] @ [(width - 1) / 2, (height - 1) / 2, 1.0] >= 0 else -1.0
    corners = view_quad(sign * transform, width, height)
    (estimate,) = orientations(rotations, corners, matrices, (width, height), covariances)
    return estimate


def orientations(
    view_from_optical: FloatArray,
    corners_frame: FloatArray,
    source_matrices: FloatArray,
    view_size: tuple[int, int],
    corner_covariances: FloatArray | None,
) -> list[PlanarPoseEstimate]:
    """``orientation_from_view`` for N views with their cameras.

    Args:
        view_from_optical: R″ of the views' cameras, N×3×3.
        corners_frame: N×4×2 pixels, the views' corners in the frame.
        source_matrices: K of each view's source camera, N×3×3.
        view_size: width and height of the views in pixels.
        corner_covariances: N×8×8 in pixels², or None.
    """
    rotations = np.ascontiguousarray(np.swapaxes(view_from_optical, 1, 2))
    covariances: list[FloatArray | None] = [None] * len(rotations)
    if corner_covariances is not None:
        covariances = list(
            _orientation_covariances(
                corners_frame, rotations, source_matrices, view_size, corner_covariances
            )
        )
    return [
        PlanarPoseEstimate(
            Pose(rotation, np.full(3, np.nan)), None, np.inf, covariance, False, "orientation"
        )
        for rotation, covariance in zip(rotations, covariances, strict=True)
    ]


def _orientation_covariances(
    corners: FloatArray,
    rotations: FloatArray,
    source_matrices: FloatArray,
    view_size: tuple[int, int],
    corner_covariances: FloatArray,
) -> FloatArray:
    """N×6×6 by central differences; the variances of the unknown translation are infinite."""
    step = 1e-4
    offsets = np.vstack([np.eye(8), -np.eye(8)]).reshape(16, 4, 2) * step
    rays_from_frame = inverses(source_matrices)
    turned = _rotations_of_quads(corners[:, None] + offsets, rays_from_frame, view_size)
    between = turned @ np.swapaxes(rotations, 1, 2)[:, None]
    vectors = between[..., (2, 0, 1), (1, 2, 0)] - between[..., (1, 2, 0), (2, 0, 1)]
    jacobians = np.swapaxes(vectors[:, :8] - vectors[:, 8:], 1, 2) / (4 * step)
    covariances = np.zeros((len(corners), 6, 6))
    covariances[:, 3:, 3:] = jacobians @ corner_covariances @ np.swapaxes(jacobians, 1, 2)
    covariances[:, (0, 1, 2), (0, 1, 2)] = np.inf
    return covariances


def _rotations_of_quads(
    quads: FloatArray, rays_from_frame: FloatArray, view_size: tuple[int, int]
) -> FloatArray:
    """R″ᵀ N×M×3×3 of N×M×4×2 quads: K⁻¹ · frame_from_view = R″ᵀ · K″⁻¹, taken apart."""
    frame_from_view = frame_from_view_of_quad(quads, *view_size)
    rays_from_view = rays_from_frame[:, None] @ frame_from_view
    signs = np.where(determinants(rays_from_view) < 0, -1.0, 1.0)
    return orthonormal_columns(rays_from_view * signs[..., None, None])
