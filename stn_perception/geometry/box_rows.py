# SPDX-License-Identifier: Apache-2.0
"""Many boxes at once: N×5 rows of centre x, centre y, width, height (pixels) and angle (rad).

Each function is the twin of one in ``boxes``, and gives for every row what that gives for a box.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.boxes import AxisAlignedBox, CropShape, OrientedBox
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.pixels import view_center
from stn_perception.geometry.quads import polygon_areas

_X_SIGNS = np.array([-0.5, 0.5, 0.5, -0.5])
_Y_SIGNS = np.array([-0.5, -0.5, 0.5, 0.5])
_FOLLOWING = np.array([1, 2, 3, 0])


def box_rows(boxes: Sequence[OrientedBox | AxisAlignedBox]) -> FloatArray:
    """The rows of boxes, N×5."""
    rows = [(b.center_x, b.center_y, b.width, b.height, b.angle_rad) for b in boxes]
    return np.array(rows, dtype=np.float64).reshape(-1, 5)


def oriented_boxes(rows: FloatArray) -> list[OrientedBox]:
    """The boxes of rows."""
    return [OrientedBox(*row) for row in rows.tolist()]


def box_corners(rows: FloatArray) -> FloatArray:
    """N×4×2: top-left, top-right, bottom-right, bottom-left of each box's own axes."""
    cos, sin = np.cos(rows[:, 4:]), np.sin(rows[:, 4:])
    along, across = _X_SIGNS * rows[:, 2:3], _Y_SIGNS * rows[:, 3:4]
    x = rows[:, :1] + cos * along - sin * across
    y = rows[:, 1:2] + sin * along + cos * across
    return np.stack([x, y], axis=2)


def frames_from_crops(
    rows: FloatArray, margin: float, crop_width: int, crop_height: int, shape: CropShape
) -> FloatArray:
    """N×3×3 pixel transforms of the crops that show boxes with an area: ``frame_from_crop``."""
    scale_x = rows[:, 2] * (margin / crop_width)
    scale_y = rows[:, 3] * (margin / crop_height)
    if shape == "square":
        scale_x = scale_y = np.maximum(scale_x, scale_y)
    cos, sin = np.cos(rows[:, 4]), np.sin(rows[:, 4])
    crops = np.zeros((len(rows), 3, 3))
    crops[:, 0, 0] = cos * scale_x
    crops[:, 0, 1] = -sin * scale_y
    crops[:, 1, 0] = sin * scale_x
    crops[:, 1, 1] = cos * scale_y
    crops[:, :2, 2] = rows[:, :2] - crops[:, :2, :2] @ view_center(crop_width, crop_height)
    crops[:, 2, 2] = 1.0
    return crops


def oriented_rows_of_views(frame_from_view: FloatArray, width: int, height: int) -> FloatArray:
    """Rows N×5 of the oriented boxes that N×3×3 views cover: ``oriented_box_of_view``.

    Raises:
        InvalidTransformError: A transform is mirrored or singular at its view's centre.
    """
    mapped = frame_from_view[:, :, :2] @ view_center(width, height) + frame_from_view[:, :, 2]
    weight = mapped[:, 2:]
    centers = mapped[:, :2] / weight
    bend = centers[:, :, None] * frame_from_view[:, 2:, :2]
    jacobians = (frame_from_view[:, :2, :2] - bend) / weight[:, :, None]
    a, b, c, d = jacobians.reshape(-1, 4).T
    determinant = a * d - b * c
    smallest = 1e-14 * np.add.reduce(np.square(jacobians), axis=(1, 2))
    if not (determinant > smallest).all():
        place = int((~(determinant > smallest)).argmax())
        kind = "mirrored" if determinant[place] < -smallest[place] else "singular"
        raise InvalidTransformError(
            kind, f"view {place} is {kind} at its centre: {jacobians[place].tolist()}"
        )
    scale_x = np.hypot(a, c)
    rows = np.empty((len(frame_from_view), 5))
    rows[:, :2] = centers
    rows[:, 2] = scale_x * width
    rows[:, 3] = determinant / scale_x * height
    rows[:, 4] = np.arctan2(c, a)
    return rows


def overlaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union (N,), 0 to 1, of each row with the one beside it: ``oriented_iou``.

    Clamping a point's coordinates to a rectangle changes nothing inside and leaves no area
    outside, so it takes a polygon's outline to an outline around the polygon's part in the
    rectangle. Seen along the second box's axes an edge is cut where it enters or leaves the
    range of x and of y; between the cuts clamping is linear.
    """
    cos, sin = np.cos(second[:, 4]), np.sin(second[:, 4])
    second_from_frame = np.array([[cos, sin], [-sin, cos]]).transpose(2, 0, 1)
    corners = (box_corners(first) - second[:, None, :2]) @ np.swapaxes(second_from_frame, 1, 2)
    edges = corners[:, _FOLLOWING] - corners
    half = second[:, None, 2:4] / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        cuts = np.concatenate([(-half - corners) / edges, (half - corners) / edges], axis=2)
    # An edge along an axis crosses no range of the other: NaN and infinity are no cuts.
    shares = np.zeros((*corners.shape[:2], 5))
    shares[:, :, 1:] = np.where((cuts > 0) & (cuts < 1), cuts, 0.0)
    shares.sort(axis=2)
    outline = corners[:, :, None] + shares[..., None] * edges[:, :, None]
    clamped = np.clip(outline, -half[:, :, None], half[:, :, None])
    shared = polygon_areas(clamped.reshape(len(first), 20, 2))
    both = first[:, 2] * first[:, 3] + second[:, 2] * second[:, 3] - shared
    union = np.where(both > 0, both, 1.0)
    return np.asarray(np.where(both > 0, np.clip(shared / union, 0.0, 1.0), 0.0))
