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

from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox

Matrix = NDArray[np.float64]

# Beyond this many standard deviations a side counts less and less (Huber 1964): boxes that are
# cut by an occluder or drawn loosely must not pull corners that show.
_TRUSTED_SIGMAS = 2.0


def corners_given_box(
    corners: Matrix,
    covariance: Matrix,
    box: AxisAlignedBox | OrientedBox,
    box_sigma: float,
    usable: NDArray[np.bool_] | None = None,
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
    if not box_sigma > 0:
        raise ValueError(f"box_sigma is {box_sigma}, expected a number above 0.")
    turn = np.kron(np.eye(4), _box_from_frame(box.angle_rad))
    center = np.array([box.center_x, box.center_y])
    own = (corners - center) @ _box_from_frame(box.angle_rad).T
    touched, outward, sides = _touching(own, box)
    measured = np.zeros((4, 8))
    measured[np.arange(4), touched] = 1.0
    kept = np.ones(4, dtype=bool) if usable is None else usable
    measured, sides, outward = measured[kept], sides[kept], outward[kept]
    if not len(measured):
        return corners.copy(), covariance.copy()
    spread = turn @ covariance @ turn.T
    variances = (box_sigma * np.where(outward, box.width, box.height)) ** 2
    innovation = sides - measured @ own.reshape(8)
    expected = np.einsum("ij,jk,ik->i", measured, spread, measured) + variances
    excess = np.abs(innovation) / np.sqrt(expected) / _TRUSTED_SIGMAS
    variances = variances * np.maximum(excess, 1.0) ** 2
    gain = np.linalg.solve(
        measured @ spread @ measured.T + np.diag(variances), measured @ spread
    ).T
    updated = own.reshape(8) + gain @ innovation
    reduced = turn.T @ (spread - gain @ measured @ spread) @ turn
    in_frame = updated.reshape(4, 2) @ _box_from_frame(box.angle_rad) + center
    return in_frame, (reduced + reduced.T) / 2


def _box_from_frame(angle_rad: float) -> Matrix:
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([(cosine, sine), (-sine, cosine)])


def _touching(
    own: Matrix, box: AxisAlignedBox | OrientedBox
) -> tuple[NDArray[np.int64], NDArray[np.bool_], Matrix]:
    """For left, right, top, bottom: the touching coordinate, whether it is an x, the side."""
    x, y = own[:, 0], own[:, 1]
    touched = np.array(
        [2 * x.argmin(), 2 * x.argmax(), 2 * y.argmin() + 1, 2 * y.argmax() + 1], dtype=np.int64
    )
    sides = np.array([-box.width, box.width, -box.height, box.height]) / 2
    return touched, np.array([True, True, False, False]), sides
