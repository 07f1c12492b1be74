# SPDX-License-Identifier: Apache-2.0
"""A quadrilateral in a box, as the numbers that people read: angle, scale, aspect, centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import AxisAlignedBox, OrientedBox
from stn_perception.geometry.boxes import oriented_box_of_view
from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.pixels import view_corners

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class QuadShape:
    """What a network says about the object in its box.

    Attributes:
        angle_deg: of the view's x axis against the box's, -180 to 180.
        scale: square root of the area over the box's.
        aspect: width over height of the view, as seen in the frame.
        centre: (2,) from the box's centre, in percent of the box's width and height.
        corners: (8,) from the box's centre, in percent of the box's width and height.
    """

    angle_deg: float
    scale: float
    aspect: float
    centre: Array
    corners: Array


def shape_in_box(quad: Array, box: AxisAlignedBox | OrientedBox) -> QuadShape:
    """Return the shape of a quad, 4×2 pixels of the frame, relative to its box.

    A projective quad is taken by its Jacobian at the centre.

    Raises:
        InvalidTransformError: the quad is mirrored or has no area.
    """
    view = oriented_box_of_view(homography_from_corners(quad, view_corners(64, 64)), 64, 64)
    cos, sin = np.cos(box.angle_rad), np.sin(box.angle_rad)
    box_from_frame = np.array([[cos, sin], [-sin, cos]])
    size = np.array([box.width, box.height])
    middle = np.array([box.center_x, box.center_y])
    centre = np.array([view.center_x, view.center_y])
    turned = np.degrees(view.angle_rad - box.angle_rad)
    return QuadShape(
        angle_deg=float((turned + 180) % 360 - 180),
        scale=float(np.sqrt(view.area / box.area)),
        aspect=view.width / view.height,
        centre=100 * (box_from_frame @ (centre - middle)) / size,
        corners=(100 * ((quad - middle) @ box_from_frame.T) / size).ravel(),
    )


def folded_angles(
    predicted: Array, true: Array, symmetry: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Bring angles into one turn of the symmetry, a prediction beside its truth.

    Args:
        predicted: N degrees.
        true: N degrees.
        symmetry: N, quarter-turn poses that look alike, 1, 2 or 4.

    Returns:
        Predicted and true degrees; the true ones within half a period about zero.
    """
    period = 360 / symmetry
    folded = (true + period / 2) % period - period / 2
    off = (predicted - true + 180) % 360 - 180
    return folded + off, folded


def r_squared(predicted: Array, true: Array) -> float:
    """Share of the truth's variance that is predicted; NaN where the truth does not vary."""
    spread = float(np.square(true - true.mean(axis=0)).sum())
    if spread <= 1e-12 * max(1.0, float(np.square(true).sum())):
        return float("nan")
    return 1 - float(np.square(predicted - true).sum()) / spread
