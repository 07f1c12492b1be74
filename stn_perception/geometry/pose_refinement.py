# SPDX-License-Identifier: Apache-2.0
"""Poses of rectangles brought to the least squared reprojection error, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.rotations import cross_matrices, rotations_from_vectors

Mask = NDArray[np.bool_]
_MOST_STEPS = 20
_X = np.array([-0.5, 0.5, 0.5, -0.5])
_Y = np.array([-0.5, -0.5, 0.5, 0.5])
_DIAGONAL = np.arange(6)


@dataclass(frozen=True, eq=False)
class RectanglesSeen:
    """N rectangles of known size and where their corners are seen.

    Attributes:
        corners: N×4×2 pixels, TL, TR, BR, BL.
        sizes_m: N×2, width and height in metres.
        matrices: K of each one's camera, N×3×3.
        columns: P[:, 3] of it, N×3.
    """

    corners: FloatArray
    sizes_m: FloatArray
    matrices: FloatArray
    columns: FloatArray

    def at(self, places: NDArray[np.intp]) -> RectanglesSeen:
        """Some of them."""
        return RectanglesSeen(
            self.corners[places],
            self.sizes_m[places],
            self.matrices[places],
            self.columns[places],
        )

    def object_corners(self) -> FloatArray:
        """Their corners in their own frames, N×4×3 metres."""
        points = np.zeros((len(self.sizes_m), 4, 3))
        points[..., 0] = _X * self.sizes_m[:, :1]
        points[..., 1] = _Y * self.sizes_m[:, 1:]
        return points


def camera_points(
    seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray
) -> FloatArray:
    """The corners N×4×3 in the optical frame, metres."""
    turned = seen.object_corners() @ np.swapaxes(rotations, 1, 2)
    return np.asarray(turned + translations[:, None])


def projected(seen: RectanglesSeen, points: FloatArray) -> FloatArray:
    """(u·z, v·z, z) of N×4×3 points in the optical frame, N×4×3."""
    return np.asarray(points @ np.swapaxes(seen.matrices, 1, 2) + seen.columns[:, None])


def seen_from_the_front(
    seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray
) -> Mask:
    """Which poses (N,) are finite, in front of the camera, and facing it."""
    offsets = np.linalg.solve(seen.matrices, seen.columns[..., None])[..., 0]
    centers = translations + offsets
    depths = (seen.object_corners() @ rotations[:, 2, :, None])[..., 0] + centers[:, 2:]
    facing = np.add.reduce(rotations[:, :, 2] * centers, axis=1) > 0
    front: Mask = np.logical_and.reduce(depths > 0, axis=1) & facing
    return front & np.isfinite(rotations).all(axis=(1, 2)) & np.isfinite(translations).all(axis=1)


def reprojection_jacobians(
    seen: RectanglesSeen, points: FloatArray, homogeneous: FloatArray, translations: FloatArray
) -> FloatArray:
    """N×8×6: corner pixels by translation and rotation about the optical frame's fixed axes."""
    pixels = homogeneous[..., :2] / homogeneous[..., 2:]
    # d pixel / d point, N×4×2×3; a turn by w moves a point by w × turned.
    by_point = (
        seen.matrices[:, None, :2] - pixels[..., None] * seen.matrices[:, None, 2:]
    ) / homogeneous[..., 2, None, None]
    by_turn = -by_point @ cross_matrices(points - translations[:, None])
    return np.concatenate([by_point, by_turn], axis=3).reshape(-1, 8, 6)


def refined_poses(
    seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Levenberg and Marquardt's method from N poses that are seen from the front.

    Returns:
        Root mean square distance of the corners in pixels (N,), rotations and translations.
    """
    damping = np.full(len(rotations), 1e-6)
    points = camera_points(seen, rotations, translations)
    homogeneous = projected(seen, points)
    residuals = _residuals(seen, homogeneous)
    squares = np.add.reduce(np.square(residuals), axis=1)
    is_open = np.ones(len(rotations), dtype=bool)
    for _ in range(_MOST_STEPS):
        if not is_open.any():
            break
        jacobians = reprojection_jacobians(seen, points, homogeneous, translations)
        transposed = np.swapaxes(jacobians, 1, 2)
        normal = transposed @ jacobians
        normal[:, _DIAGONAL, _DIAGONAL] *= 1.0 + damping[:, None]
        solved = np.linalg.solve(normal, transposed @ residuals[..., None])
        steps: FloatArray = solved[..., 0].astype(np.float64, copy=False)
        moved_rotations = rotations_from_vectors(steps[:, 3:]) @ rotations
        moved_translations = translations + steps[:, :3]
        moved_points = camera_points(seen, moved_rotations, moved_translations)
        moved_homogeneous = projected(seen, moved_points)
        moved_residuals = _residuals(seen, moved_homogeneous)
        moved_squares = np.add.reduce(np.square(moved_residuals), axis=1)
        is_better = is_open & (moved_squares <= squares)
        is_better &= seen_from_the_front(seen, moved_rotations, moved_translations)
        gained = squares - moved_squares
        is_settled = (gained <= 1e-9 * moved_squares) | (moved_squares < 1e-20)
        damping = np.where(is_better, np.maximum(damping / 10, 1e-12), damping * 10)
        is_open &= ~(is_better & is_settled)
        better = is_better[:, None, None]
        rotations = np.where(better, moved_rotations, rotations)
        translations = np.where(better[..., 0], moved_translations, translations)
        points = np.where(better, moved_points, points)
        homogeneous = np.where(better, moved_homogeneous, homogeneous)
        residuals = np.where(better[..., 0], moved_residuals, residuals)
        squares = np.where(is_better, moved_squares, squares)
    return np.sqrt(squares / 4), rotations, translations


def _residuals(seen: RectanglesSeen, homogeneous: FloatArray) -> FloatArray:
    """What the corners are off, N×8 pixels."""
    pixels = homogeneous[..., :2] / homogeneous[..., 2:]
    return np.asarray((seen.corners - pixels).reshape(-1, 8))
