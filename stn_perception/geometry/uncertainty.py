# SPDX-License-Identifier: Apache-2.0
"""First-order propagation of corner uncertainty.

A corner covariance is 8×8 in pixels², ordered x, y of top-left, top-right, bottom-right and
bottom-left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, as_corners, as_matrix3
from stn_perception.geometry.homography import (
    homography_from_corners,
    jacobian_at,
    normalize_homography,
)


def as_corner_covariance(covariance: ArrayLike) -> FloatArray:
    """Return an 8×8 covariance; 8 variances become its diagonal. Raises ValueError."""
    array = np.asarray(covariance, dtype=np.float64)
    if array.shape == (8,):
        array = np.diag(array)
    if array.shape != (8, 8):
        raise ValueError(f"corner covariance has shape {array.shape}, expected (8, 8) or (8,)")
    if not np.isfinite(array).all():
        raise ValueError("corner covariance holds NaN or infinity")
    return array


def crop_variances_px(log_variance: ArrayLike, crop_width: int, crop_height: int) -> FloatArray:
    """Variances ...×8 in crop pixels² of a network's ``log_variance`` ...×8 in normalised axes.

    A step of 1 in normalised axes is half the crop's size in pixels.
    """
    logs = np.asarray(log_variance, dtype=np.float64)
    if logs.shape[-1:] != (8,):
        raise ValueError(f"log_variance has shape {logs.shape}, expected (8,) or a stack of such")
    pixels = np.array([crop_width / 2, crop_height / 2] * 4)
    return np.asarray(np.exp(logs) * pixels**2)


def transformed_corner_covariance(
    target_from_source: ArrayLike, source_corners: ArrayLike, covariance: ArrayLike
) -> FloatArray:
    """Covariance 8×8 of the corners after a transform, from that before it (8×8, or 8 variances).

    ``source_corners`` are the 4×2 corners before it. With frame_from_crop, and corners and
    variances in crop pixels, the result is in frame pixels².
    """
    matrix = as_matrix3(target_from_source, "target_from_source")
    jacobian = _block_diagonal(jacobian_at(matrix, as_corners(source_corners)))
    return np.asarray(jacobian @ as_corner_covariance(covariance) @ jacobian.T)


def transformed_corner_variances(
    target_from_source: FloatArray, source_corners: FloatArray, variances: FloatArray
) -> FloatArray:
    """Covariances N×8×8 of N times four corners after a transform each, from variances N×8.

    As ``transformed_corner_covariance``, for N×3×3 transforms and N×4×2 corners.
    """
    jacobians = jacobian_at(target_from_source[:, None], source_corners)
    weighted = jacobians * variances.reshape(-1, 4, 1, 2)
    return _block_diagonal(weighted @ np.swapaxes(jacobians, 2, 3))


def _block_diagonal(blocks: FloatArray) -> FloatArray:
    """...×8×8 with four 2×2 blocks along the diagonal."""
    result = np.zeros((*blocks.shape[:-3], 4, 2, 4, 2))
    for corner in range(4):
        result[..., corner, :, corner, :] = blocks[..., corner, :, :]
    return result.reshape(*blocks.shape[:-3], 8, 8)


def corner_sigma_px(covariance: ArrayLike) -> float:
    """One figure for a corner covariance: the root mean variance per coordinate, pixels."""
    return float(np.sqrt(np.trace(as_corner_covariance(covariance)) / 8))


def corner_sigmas_px(covariances: FloatArray) -> FloatArray:
    """``corner_sigma_px`` of each of ...×8×8 covariances, (...)."""
    return np.asarray(np.sqrt(np.trace(covariances, axis1=-2, axis2=-1) / 8))


def numeric_jacobian(
    function: Callable[[FloatArray], FloatArray], at: ArrayLike, step: float
) -> FloatArray:
    """Derivative N×M of ``function`` (M,) → (N,) by central differences of ``step``."""
    point = np.asarray(at, dtype=np.float64)
    columns = []
    for index in range(len(point)):
        offset = np.zeros_like(point)
        offset[index] = step
        columns.append((function(point + offset) - function(point - offset)) / (2 * step))
    return np.stack(columns, axis=1)


def homography_covariance(
    target: ArrayLike, source: ArrayLike, target_covariance: ArrayLike
) -> FloatArray:
    """Covariance 9×9 of ``target_from_source`` (row by row, H[2, 2] = 1) by its target corners."""
    target_corners, source_corners = as_corners(target), as_corners(source)

    def entries(flat: FloatArray) -> FloatArray:
        matrix = homography_from_corners(flat.reshape(4, 2), source_corners)
        return normalize_homography(matrix).ravel()

    step = 1e-4 * max(1.0, float(np.ptp(target_corners, axis=0).max()) / 100)
    jacobian = numeric_jacobian(entries, target_corners.ravel(), step)
    return np.asarray(jacobian @ as_corner_covariance(target_covariance) @ jacobian.T)
