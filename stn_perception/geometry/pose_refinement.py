# SPDX-License-Identifier: Apache-2.0
"""Poses of rectangles brought to the least squared reprojection error, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.matrices import inverses
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

    @cached_property
    def object_corners(self) -> FloatArray:
        """Their corners in their own frames, N×4×3 metres."""
        points = np.zeros((len(self.sizes_m), 4, 3))
        points[..., 0] = _X * self.sizes_m[:, :1]
        points[..., 1] = _Y * self.sizes_m[:, 1:]
        return points

    @cached_property
    def optical_offsets(self) -> FloatArray:
        """K⁻¹ · P[:, 3], N×3 metres."""
        return np.asarray((inverses(self.matrices) @ self.columns[..., None])[..., 0])


def camera_points(
    seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray
) -> FloatArray:
    """The corners N×4×3 in the optical frame, metres."""
    turned = seen.object_corners @ np.swapaxes(rotations, 1, 2)
    return np.asarray(turned + translations[:, None])


def projected(seen: RectanglesSeen, points: FloatArray) -> FloatArray:
    """(u·z, v·z, z) of N×4×3 points in the optical frame, N×4×3."""
    return np.asarray(points @ np.swapaxes(seen.matrices, 1, 2) + seen.columns[:, None])


def seen_from_the_front(
    seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray
) -> Mask:
    """Which poses (N,) are finite, in front of the camera, and facing it."""
    centers = translations + seen.optical_offsets
    depths = (seen.object_corners @ rotations[:, 2, :, None])[..., 0] + centers[:, 2:]
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
    rotations, translations = rotations.copy(), translations.copy()
    squares = np.zeros(len(rotations))
    places = np.arange(len(rotations))
    state = _state(seen, rotations, translations)
    damping = np.full(len(rotations), 1e-6)
    for _ in range(_MOST_STEPS):
        moved = _step(seen, state, damping)
        is_better = moved.squares <= state.squares
        is_better &= seen_from_the_front(seen, moved.rotations, moved.translations)
        gained = state.squares - moved.squares
        is_settled = (gained <= 1e-9 * moved.squares) | (moved.squares < 1e-20)
        damping = np.where(is_better, np.maximum(damping / 10, 1e-12), damping * 10)
        state = moved if is_better.all() else state.or_where(is_better, moved)
        rotations[places] = state.rotations
        translations[places], squares[places] = state.translations, state.squares
        is_open = np.flatnonzero(~(is_better & is_settled))
        if not len(is_open):
            break
        if len(is_open) < len(places):
            places, damping = places[is_open], damping[is_open]
            seen, state = seen.at(is_open), state.at(is_open)
    return np.sqrt(squares / 4), rotations, translations


@dataclass(frozen=True, eq=False)
class _State:
    """Poses, their corners in the optical frame and in the picture, and what those are off."""

    rotations: FloatArray
    translations: FloatArray
    points: FloatArray
    homogeneous: FloatArray
    residuals: FloatArray
    squares: FloatArray

    def _parts(self) -> tuple[FloatArray, ...]:
        return (
            self.rotations,
            self.translations,
            self.points,
            self.homogeneous,
            self.residuals,
            self.squares,
        )

    def at(self, places: NDArray[np.intp]) -> _State:
        return _State(*(part[places] for part in self._parts()))

    def or_where(self, chosen: Mask, other: _State) -> _State:
        """``other`` where it is chosen."""
        return _State(
            *(
                np.where(chosen.reshape(-1, *[1] * (own.ndim - 1)), new, own)
                for own, new in zip(self._parts(), other._parts(), strict=True)
            )
        )


def _state(seen: RectanglesSeen, rotations: FloatArray, translations: FloatArray) -> _State:
    points = camera_points(seen, rotations, translations)
    homogeneous = projected(seen, points)
    pixels = homogeneous[..., :2] / homogeneous[..., 2:]
    residuals = (seen.corners - pixels).reshape(-1, 8)
    squares = np.add.reduce(np.square(residuals), axis=1)
    return _State(rotations, translations, points, homogeneous, residuals, squares)


def _step(seen: RectanglesSeen, state: _State, damping: FloatArray) -> _State:
    jacobians = reprojection_jacobians(seen, state.points, state.homogeneous, state.translations)
    transposed = np.swapaxes(jacobians, 1, 2)
    normal = transposed @ jacobians
    normal[:, _DIAGONAL, _DIAGONAL] *= 1.0 + damping[:, None]
    solved = np.linalg.solve(normal, transposed @ state.residuals[..., None])
    steps: FloatArray = solved[..., 0].astype(np.float64, copy=False)
    rotations = rotations_from_vectors(steps[:, 3:]) @ state.rotations
    return _state(seen, rotations, state.translations + steps[:, :3])
