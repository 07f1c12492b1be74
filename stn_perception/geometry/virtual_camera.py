# SPDX-License-Identifier: Apache-2.0
"""A view is a camera: the homography of a view as intrinsics and a rotation.

For ``view_from_frame`` = H and source intrinsics K, H · K = K″ · R″ (up to a positive scale) with
K″ upper triangular with a positive diagonal and K″[2, 2] = 1, and R″ a proper rotation. R″ is
``view_from_optical``. P[:, :3] · R · K⁻¹ = H carries the exact transform in a CameraInfo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_matrix3, check_size
from stn_perception.geometry.homography import InvalidTransformError, invert
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.matrices import as_matrices3, determinants, orthonormal_rows


@dataclass(frozen=True, eq=False)
class VirtualCamera:
    """The camera that sees a view.

    Attributes:
        view_matrix: K″ 3×3, P[:, :3] of the view's CameraInfo.
        rotation: R″ 3×3, view_from_optical.
        projection_column: P[:, 3] of the view's CameraInfo, (3,), at view_matrix's scale.
        width: of the view, pixels.
        height: of the view, pixels.
        source_matrix: K 3×3 of the source, zero where it is not calibrated.
    """

    view_matrix: FloatArray
    rotation: FloatArray
    projection_column: FloatArray
    width: int
    height: int
    source_matrix: FloatArray

    @property
    def is_calibrated(self) -> bool:
        """Whether the source's intrinsics are known (else no rotation can be read off)."""
        return bool(self.source_matrix[0, 0] != 0)

    @property
    def view_from_frame(self) -> FloatArray:
        """H = P[:, :3] · R · K⁻¹, up to scale; P[:, :3] · R where K is zero."""
        product = self.view_matrix @ self.rotation
        return product @ np.linalg.inv(self.source_matrix) if self.is_calibrated else product

    @property
    def depth_row(self) -> FloatArray:
        """The third row of R″·K⁻¹, (3,).

        Times (u, v, 1) of a source pixel and the depth there, it gives the depth in the view's
        own frame.
        """
        return np.asarray(self.rotation[2] @ np.linalg.inv(self.source_matrix))


def rq3(matrix: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """M = K · R: K upper triangular with a positive diagonal, R a proper rotation.

    Stacks ...×3×3 are taken apart one by one. Raises InvalidTransformError unless every M is
    finite with a positive determinant. (Hartley and Zisserman 2004, section A4.1.1; here by
    orthogonal rows, the last first.)
    """
    array = as_matrices3(matrix, "matrix")
    if not np.isfinite(array).all():
        raise InvalidTransformError("not_finite", "the matrix holds NaN or infinity")
    largest = np.abs(array).max(axis=(-2, -1), keepdims=True)
    determinant = determinants(array / np.where(largest > 0, largest, 1.0))
    if not (determinant > 0).all():
        lowest = float(determinant.min())
        raise InvalidTransformError(
            "mirrored" if lowest < 0 else "singular",
            f"the matrix has a determinant of sign {np.sign(lowest):.0f}, expected 1",
        )
    rotation = orthonormal_rows(array)
    triangular = array @ np.swapaxes(rotation, -1, -2)
    triangular[..., 1, 0] = triangular[..., 2, 0] = triangular[..., 2, 1] = 0.0
    return triangular, rotation


def camera_parts(
    view_from_frame: FloatArray, source_matrices: FloatArray, source_columns: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """K″ (N×3×3), R″ (N×3×3) and P[:, 3] (N×3) of N views: ``virtual_camera`` for many.

    Args:
        view_from_frame: N×3×3 in pixels.
        source_matrices: K of each view's source camera, N×3×3.
        source_columns: Its P[:, 3], N×3.

    Raises:
        InvalidTransformError: A transform is singular or not finite.
    """
    if not np.isfinite(view_from_frame).all():
        raise InvalidTransformError("not_finite", "view_from_frame holds NaN or infinity")
    signs = np.where(determinants(view_from_frame) < 0, -1.0, 1.0)
    signed = view_from_frame * signs[:, None, None]
    triangular, rotation = rq3(signed @ source_matrices)
    # K″[2, 2] = 1 fixes the scale of the projection, so P[:, 3] = H · P_source[:, 3] has it too.
    scale = 1.0 / triangular[:, 2, 2]
    view_matrix = triangular * scale[:, None, None]
    view_matrix[:, 2, 2] = 1.0
    columns = (signed @ source_columns[:, :, None])[..., 0] * scale[:, None]
    return view_matrix, rotation, columns


def virtual_camera(
    view_from_frame: ArrayLike, intrinsics: PinholeIntrinsics, width: int, height: int
) -> VirtualCamera:
    """The camera of a W × H view of the camera ``intrinsics``, by ``view_from_frame``.

    The homography's sign is free: the one of positive determinant is taken. Raises
    InvalidTransformError for a transform that is singular or not finite.
    """
    check_size(width, height)
    (view_matrix,), (rotation,), (column,) = camera_parts(
        as_matrix3(view_from_frame, "view_from_frame")[None],
        intrinsics.matrix[None],
        intrinsics.translation_column[None],
    )
    return VirtualCamera(
        view_matrix=view_matrix,
        rotation=rotation,
        projection_column=column,
        width=width,
        height=height,
        source_matrix=np.array(intrinsics.matrix),
    )


def uncalibrated_camera(view_from_frame: ArrayLike, width: int, height: int) -> VirtualCamera:
    """The camera of a view whose source has no intrinsics: K = 0, R = I, P[:, :3] = H itself."""
    check_size(width, height)
    homography = as_matrix3(view_from_frame, "view_from_frame")
    if not np.isfinite(homography).all():
        raise InvalidTransformError("not_finite", "view_from_frame holds NaN or infinity")
    return VirtualCamera(
        view_matrix=homography.copy(),
        rotation=np.eye(3),
        projection_column=np.zeros(3),
        width=width,
        height=height,
        source_matrix=np.zeros((3, 3)),
    )


def residual_skew(camera: VirtualCamera) -> float:
    """K″[0, 1] / K″[1, 1]: the tangent of the angle by which the view's axes are not square.

    Zero for the exact rectification of a real rectangle, so it measures how inconsistent a
    predicted transform is with any rectangle in space.
    """
    return float(camera.view_matrix[0, 1] / camera.view_matrix[1, 1])


def nearest_skew_free(
    frame_from_view: ArrayLike, intrinsics: PinholeIntrinsics, width: int, height: int
) -> FloatArray:
    """``frame_from_view`` of the nearest true camera: zero skew, fx and fy free.

    The rotation R″ stays. Among the skew-free intrinsics, those are taken that move the view's
    four corners least (sum of squared displacements in view pixels): the view's y stays exactly,
    its centre stays, and x is regressed on the unskewed x, which narrows fx by
    1 / (1 + k²·height² / width²) with k = :func:`residual_skew`. Raises as
    :func:`virtual_camera`.
    """
    (skew_free,) = skew_free_views(
        as_matrix3(frame_from_view)[None],
        intrinsics.matrix[None],
        intrinsics.translation_column[None],
        (width, height),
    )
    return np.asarray(skew_free)


def skew_free_views(
    frame_from_view: FloatArray,
    source_matrices: FloatArray,
    source_columns: FloatArray,
    view_size: tuple[int, int],
) -> FloatArray:
    """``nearest_skew_free`` of N×3×3 views, with sources as in :func:`camera_parts`."""
    matrix, _, _ = camera_parts(invert(frame_from_view), source_matrices, source_columns)
    width, height = view_size
    shear = matrix[:, 0, 1] / matrix[:, 1, 1]
    widening = 1.0 + np.square(shear * height / width)
    center_x, center_y = (width - 1) / 2, (height - 1) / 2
    # new view = A · old view, about the centre: x' = (x - shear · y) / widening, y' = y.
    old_from_new = np.tile(np.eye(3), (len(matrix), 1, 1))
    old_from_new[:, 0, 0] = widening
    old_from_new[:, 0, 1] = shear
    old_from_new[:, 0, 2] = center_x - center_x * widening - shear * center_y
    return frame_from_view @ old_from_new
