# SPDX-License-Identifier: Apache-2.0
"""Where a planar object is: from its known size, or its orientation alone from the view.

Convention: the object's frame lies in its plane, x right and y down along the view's axes, z into
the object (away from the viewer), origin at the quad's centre. A pose is
``optical_from_object``. Covariances are 6×6 in the order of ROS: x, y, z in metres, then rotation
in radians about the fixed x, y and z axes of the optical frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_corners, check_size
from stn_perception.geometry.depth_pose import pose_from_depth
from stn_perception.geometry.homography import (
    InvalidTransformError,
    invert,
    normalize_homography,
)
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.pose import PlanarPoseEstimate, Pose, PoseSource
from stn_perception.geometry.quads import view_quad
from stn_perception.geometry.rotations import cross_matrix, rotation_from_vector
from stn_perception.geometry.uncertainty import as_corner_covariance
from stn_perception.geometry.virtual_camera import virtual_camera

__all__ = [
    "PlanarPoseEstimate",
    "Pose",
    "PoseSource",
    "object_corners",
    "orientation_from_view",
    "pose_from_depth",
    "pose_from_size",
    "project",
]


_CROSS_BASIS = np.stack([cross_matrix(axis).ravel() for axis in np.eye(3)])


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
    points = object_corners(size_m)
    solutions = _ippe_solutions(points, corners, intrinsics)
    refined = sorted(
        (_refine(pose, points, corners, intrinsics) for pose in solutions),
        key=lambda pair: pair[0],
    )
    if not refined:
        raise InvalidTransformError(
            "degenerate", f"no rectangle in front of the camera has the corners {corners.tolist()}"
        )
    error, pose = refined[0]
    alternative = _distinct(pose, [other for _, other in refined[1:]])
    ambiguity = refined[1][0] / error if alternative is not None and error > 0 else np.inf
    covariance = None
    if corner_covariance is not None:
        jacobian = _reprojection_jacobian(pose, points, intrinsics)
        gain = np.linalg.pinv(jacobian)
        covariance = gain @ as_corner_covariance(corner_covariance) @ gain.T
    return PlanarPoseEstimate(pose, alternative, float(ambiguity), covariance, True, "size")


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
    camera = virtual_camera(invert(frame_from_view), intrinsics, width, height)
    rotation = np.ascontiguousarray(camera.rotation.T)
    covariance = None
    if corner_covariance is not None:
        covariance = _orientation_covariance(
            view_quad(normalize_homography(frame_from_view), width, height),
            rotation,
            intrinsics,
            (width, height),
            as_corner_covariance(corner_covariance),
        )
    pose = Pose(rotation, np.full(3, np.nan))
    return PlanarPoseEstimate(pose, None, np.inf, covariance, False, "orientation")


def _ippe_solutions(
    points: FloatArray, corners: FloatArray, intrinsics: PinholeIntrinsics
) -> list[Pose]:
    try:
        _, rotation_vectors, translations, _ = cv2.solvePnPGeneric(
            points,
            corners.reshape(4, 1, 2),
            np.array(intrinsics.matrix),
            None,
            flags=cv2.SOLVEPNP_IPPE,
        )
    except cv2.error as error:
        raise InvalidTransformError(
            "degenerate", f"no plane fits the corners {corners.tolist()}"
        ) from error
    poses = [
        Pose(
            rotation_from_vector(np.asarray(vector).ravel()),
            np.asarray(translation, dtype=np.float64).ravel() - intrinsics.optical_offset,
        )
        for vector, translation in zip(rotation_vectors, translations, strict=True)
    ]
    return [pose for pose in poses if _is_seen_from_the_front(pose, points, intrinsics)]


def _is_seen_from_the_front(pose: Pose, points: FloatArray, intrinsics: PinholeIntrinsics) -> bool:
    if not (np.isfinite(pose.rotation).all() and np.isfinite(pose.translation).all()):
        return False
    center = pose.translation + intrinsics.optical_offset
    depths = points @ pose.rotation[2] + center[2]
    return bool((depths > 0).all() and pose.normal @ center > 0)


def _reprojection_jacobian(
    pose: Pose, points: FloatArray, intrinsics: PinholeIntrinsics
) -> FloatArray:
    """8×6: corner pixels by translation and rotation about the optical frame's fixed axes."""
    turned = points @ pose.rotation.T
    homogeneous = (turned + pose.translation) @ intrinsics.matrix.T + intrinsics.translation_column
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    # d pixel / d point, 4×2×3; a turn by w moves a point by w × turned.
    by_point = (intrinsics.matrix[:2] - pixels[:, :, None] * intrinsics.matrix[2]) / homogeneous[
        :, 2, None, None
    ]
    by_turn = -by_point @ (turned @ _CROSS_BASIS).reshape(4, 3, 3)
    return np.asarray(np.concatenate([by_point, by_turn], axis=2).reshape(8, 6))


def _refine(
    pose: Pose, points: FloatArray, corners: FloatArray, intrinsics: PinholeIntrinsics
) -> tuple[float, Pose]:
    """Levenberg and Marquardt's method from ``pose``: (RMS pixel error, refined pose)."""
    damping = 1e-6
    residual = (corners - project(pose, points, intrinsics)).ravel()
    for _ in range(20):
        jacobian = _reprojection_jacobian(pose, points, intrinsics)
        normal = jacobian.T @ jacobian
        normal.flat[:: len(normal) + 1] *= 1 + damping
        step = np.linalg.solve(normal, jacobian.T @ residual)
        moved = Pose(rotation_from_vector(step[3:]) @ pose.rotation, pose.translation + step[:3])
        if not _is_seen_from_the_front(moved, points, intrinsics):
            damping *= 10
            continue
        moved_residual = (corners - project(moved, points, intrinsics)).ravel()
        if moved_residual @ moved_residual > residual @ residual:
            damping *= 10
            continue
        gained = residual @ residual - moved_residual @ moved_residual
        pose, residual, damping = moved, moved_residual, max(damping / 10, 1e-12)
        if gained <= 1e-9 * (residual @ residual) or residual @ residual < 1e-20:
            break
    return float(np.sqrt(residual @ residual / 4)), pose


def _distinct(pose: Pose, others: list[Pose]) -> Pose | None:
    """The first of ``others`` that is more than a thousandth of a radian away."""
    for other in others:
        between = np.clip((np.trace(other.rotation.T @ pose.rotation) - 1) / 2, -1, 1)
        if np.arccos(between) > 1e-3:
            return other
    return None


def _orientation_covariance(
    corners: FloatArray,
    rotation: FloatArray,
    intrinsics: PinholeIntrinsics,
    view_size: tuple[int, int],
    corner_covariance: FloatArray,
) -> FloatArray:
    step = 1e-4
    offsets = np.vstack([np.eye(8), -np.eye(8)]) * step
    turned = _orientations((corners.ravel() + offsets).reshape(-1, 4, 2), intrinsics, view_size)
    between = turned @ rotation.T
    vectors = (
        np.stack(
            [
                between[:, 2, 1] - between[:, 1, 2],
                between[:, 0, 2] - between[:, 2, 0],
                between[:, 1, 0] - between[:, 0, 1],
            ]
        )
        / 2
    )
    jacobian = (vectors[:, :8] - vectors[:, 8:]) / (2 * step)
    covariance = np.zeros((6, 6))
    covariance[3:, 3:] = jacobian @ corner_covariance @ jacobian.T
    covariance[:3, :3] = np.diag(np.full(3, np.inf))
    return covariance


def _orientations(
    quads: FloatArray, intrinsics: PinholeIntrinsics, view_size: tuple[int, int]
) -> FloatArray:
    """R″ᵀ N×3×3 of N×4×2 quads: K⁻¹ · frame_from_view = R″ᵀ · K″⁻¹, taken apart by QR."""
    rays = np.concatenate([quads, np.ones((len(quads), 4, 1))], axis=2)
    rays = np.swapaxes(rays @ np.linalg.inv(intrinsics.matrix).T, 1, 2)
    view = np.vstack([view_corners(*view_size).T, np.ones(4)])
    view_basis = view[:, :3] * np.linalg.solve(view[:, :3], view[:, 3])
    factors = np.linalg.solve(rays[:, :, :3], rays[:, :, 3:])
    rays_from_view = (rays[:, :, :3] * np.swapaxes(factors, 1, 2)) @ np.linalg.inv(view_basis)
    rays_from_view *= np.sign(np.linalg.det(rays_from_view))[:, None, None]
    orthogonal, upper = np.linalg.qr(rays_from_view)
    signs = np.sign(np.diagonal(upper, axis1=1, axis2=2))
    return np.asarray(orthogonal * signs[:, None, :], dtype=np.float64)
