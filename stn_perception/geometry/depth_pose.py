# SPDX-License-Identifier: Apache-2.0
"""Where a planar object is, from the depth image inside its quad: no known size is needed.

On a plane, inverse depth is linear in the ray: 1 / z = q · (x, y, 1), with (x, y, 1) = K⁻¹ (u, v,
1). The fit is made there, because a depth sensor's noise grows about with z² and is even in 1 / z.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import AnyFloatArray, FloatArray, as_corners
from stn_perception.geometry.homography import (
    InvalidTransformError,
    homography_from_corners,
    transform_points,
)
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.pose import PlanarPoseEstimate, Pose
from stn_perception.geometry.quads import is_convex_clockwise, quad_center
from stn_perception.geometry.rotations import cross_matrix, vector_from_rotation
from stn_perception.geometry.uncertainty import as_corner_covariance, numeric_jacobian

_MIN_POINTS = 12
_MIN_SPREAD_PX2 = 0.5  # two rows of pixels give 0.25: no plane can be told from them
_SAMPLES_PER_SIDE = 32
_TUKEY = 4.685  # 95 % efficiency on normal noise (Huber and Ronchetti 2009)
_UNIT_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def pose_from_depth(
    corners_frame: ArrayLike,
    depth: AnyFloatArray,
    intrinsics: PinholeIntrinsics,
    corner_covariance: ArrayLike | None = None,
    *,
    inset: float = 0.1,
    min_valid_fraction: float = 0.25,
) -> PlanarPoseEstimate | None:
    """Pose of a planar quad from a depth image aligned with the frame.

    A plane is fitted to the depths inside the quad, robustly against a minority of outliers
    (Tukey's weights from a median start). The corners' rays meet it; the axes are the rotation
    nearest to the quad's sides there.

    Args:
        corners_frame: 4×2 pixels, TL, TR, BR, BL of the view.
        depth: H×W metres along the optical axis, NaN (or not positive) where unknown.
        intrinsics: of the frame and of the depth image.
        corner_covariance: 8×8 (or 8 variances) in pixels². With it, the covariance also holds
            the plane fit's, from its residuals (samples taken as independent).
        inset: the part of the quad left out at each side, where depth mixes with background.
        min_valid_fraction: the least part of the samples that must have a depth.

    Returns:
        The estimate, or None where too few depths are known, or all on one line.

    Raises:
        InvalidTransformError: the quad is not convex and clockwise, or not in front of the plane.
    """
    corners = as_corners(corners_frame, "corners_frame")
    if depth.ndim != 2:
        raise ValueError(f"depth has shape {depth.shape}, expected (height, width)")
    if not is_convex_clockwise(corners):
        raise InvalidTransformError(
            "degenerate", f"the corners {corners.tolist()} are not convex and clockwise"
        )
    pixels, inverse_depths, sampled = _depths_inside(corners, depth, inset)
    if len(pixels) < _MIN_POINTS or len(pixels) < min_valid_fraction * sampled:
        return None
    rays_from_pixels: FloatArray = np.linalg.inv(intrinsics.matrix).astype(np.float64)
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ rays_from_pixels.T
    spread = np.linalg.eigvalsh(np.cov(pixels.T))
    if spread[0] < _MIN_SPREAD_PX2:
        return None
    plane, plane_covariance = _fit_plane(rays, inverse_depths)
    offset = intrinsics.optical_offset
    pose = _pose_on_plane(corners, plane, rays_from_pixels, offset)
    covariance = None
    if corner_covariance is not None:
        covariance = _propagated(
            pose,
            corners,
            plane,
            (rays_from_pixels, offset),
            as_corner_covariance(corner_covariance),
            plane_covariance,
        )
    return PlanarPoseEstimate(pose, None, np.inf, covariance, True, "depth")


def _depths_inside(
    corners: FloatArray, depth: AnyFloatArray, inset: float
) -> tuple[FloatArray, FloatArray, int]:
    """Pixels N×2, inverse depths (N,) at distinct pixels in the quad, and how many were asked."""
    frame_from_unit = homography_from_corners(corners, _UNIT_SQUARE)
    axis = np.linspace(inset, 1 - inset, _SAMPLES_PER_SIDE)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    asked = np.unique(np.rint(transform_points(frame_from_unit, grid)), axis=0)
    height, width = depth.shape
    inside = ((asked >= 0) & (asked < [width, height])).all(axis=1)
    pixels = asked[inside]
    columns, rows = pixels.astype(np.intp).T
    values = depth[rows, columns].astype(np.float64)
    known = np.isfinite(values) & (values > 0)
    return pixels[known], 1.0 / values[known], len(asked)


def _fit_plane(rays: FloatArray, inverse_depths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Plane q (3,) of 1 / z = q · ray, and its covariance 3×3."""
    plane = _median_start(rays, inverse_depths)
    weights = np.ones(len(rays))
    for _ in range(12):
        residual = inverse_depths - rays @ plane
        spread = 1.4826 * float(np.median(np.abs(residual)))
        scale = max(spread, 1e-12 * float(inverse_depths.max()))
        weights = np.clip(1 - (residual / (_TUKEY * scale)) ** 2, 0, None) ** 2
        weighted = rays * weights[:, None]
        previous = plane
        plane = np.asarray(np.linalg.solve(weighted.T @ rays, weighted.T @ inverse_depths), float)
        if np.abs(plane - previous).max() <= 1e-12 * np.abs(plane).max():
            break
    residual = inverse_depths - rays @ plane
    information = (rays * weights[:, None]).T @ rays
    variance = float(weights @ residual**2) / max(float(weights.sum()) - 3, 1.0)
    return plane, np.asarray(variance * np.linalg.pinv(information), dtype=np.float64)


def _median_start(rays: FloatArray, inverse_depths: FloatArray) -> FloatArray:
    """Of the planes through fixed random triples, the one of the least median error."""
    generator = np.random.default_rng(0)
    triples = generator.integers(0, len(rays), size=(60, 3))
    determinants = np.linalg.det(rays[triples])
    sharp = triples[np.abs(determinants) > 1e-3 * np.abs(determinants).max()]
    planes = np.linalg.solve(rays[sharp], inverse_depths[sharp][..., None])[..., 0]
    errors = np.median(np.abs(inverse_depths[:, None] - rays @ planes.T), axis=0)
    return np.asarray(planes[int(np.argmin(errors))])


def _pose_on_plane(
    corners: FloatArray, plane: FloatArray, rays_from_pixels: FloatArray, offset: FloatArray
) -> Pose:
    points_px = np.vstack([corners, quad_center(corners)])
    rays = np.column_stack([points_px, np.ones(5)]) @ rays_from_pixels.T
    inverse_depths = rays @ plane
    if inverse_depths.min() <= 0:
        raise InvalidTransformError("folded", "a corner's ray does not meet the depth's plane")
    points = rays / inverse_depths[:, None]
    normal = plane / np.linalg.norm(plane)
    x_axis = points[1] - points[0] + points[2] - points[3]
    y_axis = points[3] - points[0] + points[2] - points[1]
    # In the plane, turn as little as possible from both sides; the normal itself stays.
    x_unit, y_unit = x_axis / np.linalg.norm(x_axis), y_axis / np.linalg.norm(y_axis)
    basis = np.column_stack([x_unit, y_unit, normal])
    bisector = x_unit + y_unit
    bisector -= normal * (bisector @ normal)
    bisector /= np.linalg.norm(bisector)
    across = cross_matrix(normal) @ bisector
    rotation = np.column_stack(
        [(bisector - across) / np.sqrt(2), (bisector + across) / np.sqrt(2), normal]
    )
    if np.linalg.det(basis) <= 0:
        raise InvalidTransformError("mirrored", "the quad is seen from behind the depth's plane")
    return Pose(rotation, points[4] - offset)


def _propagated(
    pose: Pose,
    corners: FloatArray,
    plane: FloatArray,
    geometry: tuple[FloatArray, FloatArray],
    corner_covariance: FloatArray,
    plane_covariance: FloatArray,
) -> FloatArray:
    plane_scale = float(np.abs(plane).max())

    def change(parameters: FloatArray) -> FloatArray:
        moved = _pose_on_plane(
            parameters[:8].reshape(4, 2), parameters[8:] * plane_scale, *geometry
        )
        turn = vector_from_rotation(moved.rotation @ pose.rotation.T)
        return np.concatenate([moved.translation - pose.translation, turn])

    at = np.concatenate([corners.ravel(), plane / plane_scale])
    jacobian = numeric_jacobian(change, at, 1e-6)
    joint = np.zeros((11, 11))
    joint[:8, :8] = corner_covariance
    joint[8:, 8:] = plane_covariance / plane_scale**2
    return np.asarray(jacobian @ joint @ jacobian.T)
