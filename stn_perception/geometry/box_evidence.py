# SPDX-License-Identifier: Apache-2.0
"""What a detection's box says about the corners of the quadrilateral in it.

A network that looks at an object closely no longer sees where the detector's box ended. Where an
edge of the object barely shows, the box still knows: the quadrilateral's outermost corners touch
its sides. Corners and box are two measurements of the same thing and are combined by their
variances (the update step of a Kalman filter, linear because each side is touched by one corner).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import box_rows
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Beyond this many standard deviations a side counts less and less (Huber 1964): boxes that are
# cut by an occluder or drawn loosely must not pull corners that show.
_TRUSTED_SIGMAS = 2.0
# Left, right, top, bottom: where each lies from the centre, and the size across it in a box's row.
_OUTWARD = np.array([-1.0, 1.0, -1.0, 1.0])
_ACROSS = np.array([2, 2, 3, 3])
_SIDES = np.arange(4)


def corners_given_box(
    corners: Matrix,
    covariance: Matrix,
    box: AxisAlignedBox | OrientedBox,
    box_sigma: float,
    usable: Mask | None = None,
) -> tuple[Matrix, Matrix]:
    """Combine a quadrilateral with the box that was drawn around it.

    Args:
        corners: 4×2 in pixels.
        covariance: 8×8 in square pixels, of x and y of each corner in turn.
        box: Bounding box along its own axes, in pixels.
        box_sigma: Standard deviation of each of its sides, as a share of the box's size across
            that side.
        usable: Which of left, right, top, bottom (of the box's own axes) end at the object; a
            side that was cut by the frame does not. None for all.

    Returns:
        Corners 4×2 and covariance 8×8.

    Raises:
        ValueError: ``box_sigma`` is not above 0.
    """
    kept = np.ones((1, 4), dtype=bool) if usable is None else np.asarray(usable)[None]
    updated, reduced = corners_given_boxes(
        np.asarray(corners, dtype=np.float64)[None],
        np.asarray(covariance, dtype=np.float64)[None],
        box_rows([box]),
        box_sigma,
        kept,
    )
    return updated[0], reduced[0]


def corners_given_boxes(
    corners: Matrix, covariance: Matrix, rows: Matrix, box_sigma: float, usable: Mask
) -> tuple[Matrix, Matrix]:
    """``corners_given_box`` for N quadrilaterals, each with its box.

    Args:
        corners: N×4×2 in pixels.
        covariance: N×8×8 in square pixels.
        rows: The boxes, N×5 as ``box_rows`` gives them.
        box_sigma: As there.
        usable: N×4, as there.

    Returns:
        Corners N×4×2 and covariances N×8×8.

    Raises:
        ValueError: ``box_sigma`` is not above 0.
    """
    if not box_sigma > 0:
        raise ValueError(f"box_sigma is {box_sigma}, expected a number above 0.")
    count = len(corners)
    is_turned = bool(rows[:, 4].any())
    own = corners - rows[:, None, :2]
    spread = covariance
    if is_turned:
        turn = _box_from_frame(rows[:, 4])
        own = own @ np.swapaxes(turn, 1, 2)
        spread = _turned(spread, turn)
    coordinates = own.reshape(count, 8)
    touched = _touching(own)
    every = np.arange(count)[:, None]
    sizes = rows[:, _ACROSS]
    shared = spread[every, touched]
    between = np.take_along_axis(shared, touched[:, None], 2)
    innovation = _OUTWARD * (sizes / 2) - np.take_along_axis(coordinates, touched, 1)
    variances = np.square(box_sigma * sizes)
    if not usable.all():
        # A side that says nothing measures nothing, with any variance: its gain is zero.
        shared = np.where(usable[:, :, None], shared, 0.0)
        between = np.where(usable[:, :, None] & usable[:, None], between, 0.0)
        innovation = np.where(usable, innovation, 0.0)
        variances = np.where(usable, variances, 1.0)
    expected = between.diagonal(axis1=1, axis2=2) + variances
    excess = np.abs(innovation) / np.sqrt(expected) / _TRUSTED_SIGMAS
    variances = variances * np.square(np.maximum(excess, 1.0))
    between[:, _SIDES, _SIDES] += variances
    gain = np.linalg.solve(between, shared)
    updated = coordinates + (innovation[:, None] @ gain)[:, 0]
    reduced = spread - np.swapaxes(gain, 1, 2) @ shared
    in_frame = updated.reshape(count, 4, 2)
    if is_turned:
        back = np.swapaxes(turn, 1, 2)
        in_frame = in_frame @ turn
        reduced = _turned(reduced, back)
    return in_frame + rows[:, None, :2], (reduced + np.swapaxes(reduced, 1, 2)) / 2


def _box_from_frame(angle_rad: Matrix) -> Matrix:
    """Turns N×2×2 into the boxes' own axes."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([(cosine, sine), (-sine, cosine)]).transpose(2, 0, 1)


def _turned(covariance: Matrix, turn: Matrix) -> Matrix:
    """Covariances N×8×8 of four points that are turned alike by N×2×2."""
    blocks = covariance.reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4)
    turned = turn[:, None, None] @ blocks @ np.swapaxes(turn, 1, 2)[:, None, None]
    return turned.transpose(0, 1, 3, 2, 4).reshape(-1, 8, 8)


def _touching(own: Matrix) -> NDArray[np.intp]:
    """N×4: the coordinate (of eight) that touches the left, right, top and bottom side."""
    lowest, highest = own.argmin(axis=1), own.argmax(axis=1)
    x, y = np.stack([lowest, highest], axis=1).transpose(2, 0, 1)
    return np.concatenate([2 * x, 2 * y + 1], axis=1)
