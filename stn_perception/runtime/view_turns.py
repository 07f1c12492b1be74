# SPDX-License-Identifier: Apache-2.0
"""Which of several equally canonical turns of a view to show."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import jacobian_at
from stn_perception.geometry.pixels import view_center
from stn_perception.geometry.quads import allowed_shifts, view_from_turned_view
from stn_perception.runtime.results import ViewEstimate

Matrix = NDArray[np.float64]
Turns = NDArray[np.intp]

# Turns whose angles differ by less look alike; the first of them is taken, whatever the rounding.
_SAME_ANGLE_RAD = 1e-6
_CORNERS = np.arange(4)


def upright_turns(frame_from_view: Matrix, view_size: tuple[int, int], symmetry: int) -> Turns:
    """Quarter turns (N,) after which the x axis of each of N×3×3 views is nearest to the frame's.

    A turn about its centre takes a view's x axis to one of the directions ±x and ±y there.
    """
    best = np.zeros(len(frame_from_view), dtype=np.intp)
    if symmetry == 1:
        return best
    axes = jacobian_at(frame_from_view, view_center(*view_size))
    axis_of_turn = {0: axes[..., 0], 1: axes[..., 1], 2: -axes[..., 0], 3: -axes[..., 1]}
    best_angle = np.full(len(best), np.inf)
    for turn in allowed_shifts(symmetry):
        axis = axis_of_turn[turn]
        angle = np.abs(np.arctan2(axis[:, 1], axis[:, 0]))
        is_better = angle < best_angle - _SAME_ANGLE_RAD
        best = np.where(is_better, turn, best)
        best_angle = np.where(is_better, angle, best_angle)
    return best


def nearest_turns(corners: Matrix, previous: Matrix, symmetry: int) -> Turns:
    """Quarter turns (N,) after which N×4×2 corners lie nearest to the previous views' corners.

    Both quads are taken about their centres, so that a fast object does not turn.
    """
    shifts = np.array(allowed_shifts(symmetry))
    if len(shifts) == 1:
        return np.zeros(len(corners), dtype=np.intp)
    now = corners - corners.mean(axis=1, keepdims=True)
    before = previous - previous.mean(axis=1, keepdims=True)
    # Corner i of the turned view lies where corner i + turn of this one does.
    turned_now = now[:, (_CORNERS + shifts[:, None]) % 4]
    distances = np.square(turned_now - before[:, None]).sum(axis=(2, 3))
    return np.asarray(shifts[distances.argmin(axis=1)])


def turned_corners(corners: Matrix, turns: Turns) -> Matrix:
    """N×4×2 corners in the order of the turned views."""
    order = (_CORNERS + turns[:, None]) % 4
    return np.asarray(np.take_along_axis(corners, order[..., None], axis=1))


def turned(estimate: ViewEstimate, view_size: tuple[int, int], turn: int) -> ViewEstimate:
    """The same estimate seen from another side, its corners' covariance in the new order."""
    if turn == 0:
        return estimate
    covariance = estimate.corner_covariance
    if covariance is not None:
        order = np.roll(np.arange(8), -2 * turn)
        covariance = covariance[np.ix_(order, order)]
    return dataclasses.replace(
        estimate,
        frame_from_view=estimate.frame_from_view @ view_from_turned_view(*view_size, turn),
        corner_covariance=covariance,
    )
