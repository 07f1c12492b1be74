# SPDX-License-Identifier: Apache-2.0
"""Geometry in float64: pixel conventions, homographies, boxes, virtual cameras, planar poses.

Convention: pixel (0, 0) is the centre of the top-left pixel; a transform is a 3×3 in pixels named
``a_from_b``; angles are radians, positive from +x towards +y.
"""

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.box_evidence import corners_given_box
from stn_perception.geometry.boxes import (
    AxisAlignedBox,
    CropShape,
    OrientedBox,
    frame_from_crop,
    oriented_box_of_view,
    oriented_iou,
)
from stn_perception.geometry.decomposition import AffineParts, decompose_affine, recompose_affine
from stn_perception.geometry.depth_pose import pose_from_depth
from stn_perception.geometry.homography import (
    InvalidTransformError,
    compose,
    homography_from_corners,
    invert,
    jacobian_at,
    normalize_homography,
    transform_points,
)
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.lie import exp_sl3, interpolate_homography, log_sl3
from stn_perception.geometry.pixels import (
    centered_from_edge_pixels,
    normalized_from_pixel,
    pixel_from_normalized,
    resized_from_source,
    view_center,
    view_corners,
)
from stn_perception.geometry.planar_pose import (
    PlanarPoseEstimate,
    Pose,
    PoseSource,
    object_corners,
    orientation_from_view,
    pose_from_size,
    project,
)
from stn_perception.geometry.quads import (
    allowed_shifts,
    convex_intersection,
    corner_error_px,
    corner_errors_px,
    is_convex_clockwise,
    polygon_area,
    quad_center,
    quad_centers,
    quad_side_px,
    turn_view,
    view_quad,
)
from stn_perception.geometry.rotations import (
    cross_matrix,
    nearest_rotation,
    rotation_from_vector,
    vector_from_rotation,
)
from stn_perception.geometry.uncertainty import (
    as_corner_covariance,
    corner_sigma_px,
    crop_variances_px,
    homography_covariance,
    numeric_jacobian,
    transformed_corner_covariance,
)
from stn_perception.geometry.views import check_view_transform
from stn_perception.geometry.virtual_camera import (
    VirtualCamera,
    nearest_skew_free,
    residual_skew,
    rq3,
    uncalibrated_camera,
    virtual_camera,
)

__all__ = [
    "AffineParts",
    "AxisAlignedBox",
    "CropShape",
    "FloatArray",
    "InvalidTransformError",
    "OrientedBox",
    "PinholeIntrinsics",
    "PlanarPoseEstimate",
    "Pose",
    "PoseSource",
    "VirtualCamera",
    "allowed_shifts",
    "as_corner_covariance",
    "centered_from_edge_pixels",
    "check_view_transform",
    "compose",
    "convex_intersection",
    "corner_error_px",
    "corner_errors_px",
    "corner_sigma_px",
    "corners_given_box",
    "crop_variances_px",
    "cross_matrix",
    "decompose_affine",
    "exp_sl3",
    "frame_from_crop",
    "homography_covariance",
    "homography_from_corners",
    "interpolate_homography",
    "invert",
    "is_convex_clockwise",
    "jacobian_at",
    "log_sl3",
    "nearest_rotation",
    "nearest_skew_free",
    "normalize_homography",
    "normalized_from_pixel",
    "numeric_jacobian",
    "object_corners",
    "orientation_from_view",
    "oriented_box_of_view",
    "oriented_iou",
    "pixel_from_normalized",
    "polygon_area",
    "pose_from_depth",
    "pose_from_size",
    "project",
    "quad_center",
    "quad_centers",
    "quad_side_px",
    "recompose_affine",
    "residual_skew",
    "resized_from_source",
    "rotation_from_vector",
    "rq3",
    "transform_points",
    "transformed_corner_covariance",
    "turn_view",
    "uncalibrated_camera",
    "vector_from_rotation",
    "view_center",
    "view_corners",
    "view_quad",
    "virtual_camera",
]
