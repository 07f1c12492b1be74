# SPDX-License-Identifier: Apache-2.0
"""Which of several equally canonical turns of a view to show."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import oriented_box_of_view
from stn_perception.geometry.quads import allowed_shifts, turn_view, view_quad
from stn_perception.runtime.results import ViewEstimate

Matrix = NDArray[np.float64]

# Turns whose angles differ by less look alike; the first of them is taken, whatever the rounding.
_SAME_ANGLE_RAD = 1e-6


def upright_turn(frame_from_view: Matrix, view_size: tuple[int, int], symmetry: int) -> int:
    """Quarter turns after which the view's x axis is nearest to the frame's."""
    best, best_angle = 0, np.inf
    for turn in allowed_shifts(symmetry):
        view = turn_view(frame_from_view, *view_size, turn)
        angle = abs(oriented_box_of_view(view, *view_size).angle_rad)
        if angle < best_angle - _SAME_ANGLE_RAD:
            best, best_angle = turn, angle
    return best


def nearest_turn(
    frame_from_view: Matrix, previous: Matrix, view_size: tuple[int, int], symmetry: int
) -> int:
    """Quarter turns after which the corners lie nearest to the previous view's.

    Both quads are taken about their centres, so that a fast object does not turn.
    """
    before, now = (_centered_quad(view, view_size) for view in (previous, frame_from_view))
    best, best_distance = 0, np.inf
    for turn in allowed_shifts(symmetry):
        # Corner i of the turned view lies where corner i + turn of this one does.
        turned_now = np.concatenate([now[turn:], now[:turn]])
        distance = float(np.square(turned_now - before).sum())
        if distance < best_distance:
            best, best_distance = turn, distance
    return best


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
        frame_from_view=turn_view(estimate.frame_from_view, *view_size, turn),
        corner_covariance=covariance,
    )


def _centered_quad(frame_from_view: Matrix, view_size: tuple[int, int]) -> Matrix:
    quad = view_quad(frame_from_view, *view_size)
    centered: Matrix = quad - quad.mean(axis=0)
    return centered
