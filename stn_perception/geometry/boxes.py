# SPDX-License-Identifier: Apache-2.0
"""Axis-aligned and oriented boxes in pixel-centre coordinates, and the crops made from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from stn_perception.geometry.arrays import FloatArray, check_size
from stn_perception.geometry.decomposition import decompose_affine
from stn_perception.geometry.homography import InvalidTransformError, jacobian_at, transform_points
from stn_perception.geometry.pixels import view_center
from stn_perception.geometry.quads import convex_intersection, polygon_area

CropShape = Literal["stretch", "square"]


@dataclass(frozen=True)
class OrientedBox:
    """A rectangle in the image: centre and size in pixels, turned by ``angle_rad``.

    The angle is positive from image +x towards +y (clockwise on a screen); ``width`` lies along
    the box's own x axis, which points to (cos angle, sin angle).
    """

    center_x: float
    center_y: float
    width: float
    height: float
    angle_rad: float = 0.0

    @property
    def area(self) -> float:
        """Width times height, square pixels."""
        return self.width * self.height

    def corners(self) -> FloatArray:
        """The box's own top-left, top-right, bottom-right and bottom-left, 4×2 pixels."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        x_half = np.array([cos, sin]) * (self.width / 2)
        y_half = np.array([-sin, cos]) * (self.height / 2)
        center = np.array([self.center_x, self.center_y])
        return np.array(
            [
                center - x_half - y_half,
                center + x_half - y_half,
                center + x_half + y_half,
                center - x_half + y_half,
            ]
        )

    @classmethod
    def from_corners(cls, corners: ArrayLike) -> OrientedBox:
        """The box of four corners TL, TR, BR, BL (exact for a rectangle, else the mean sides)."""
        quad = np.asarray(corners, dtype=np.float64)
        x_axis = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
        y_axis = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
        width = float(np.hypot(*x_axis))
        if width == 0:
            raise InvalidTransformError("degenerate", "the corners span no width")
        height = float(x_axis[0] * y_axis[1] - x_axis[1] * y_axis[0]) / width
        center = quad.mean(axis=0)
        angle = math.atan2(x_axis[1], x_axis[0])
        return cls(float(center[0]), float(center[1]), width, height, angle)


@dataclass(frozen=True)
class AxisAlignedBox:
    """An upright rectangle in the image: centre and size in pixels."""

    center_x: float
    center_y: float
    width: float
    height: float

    @property
    def angle_rad(self) -> float:
        """Always zero: an upright box is an oriented one that is not turned."""
        return 0.0

    @property
    def area(self) -> float:
        """Width times height, square pixels."""
        return self.width * self.height

    def corners(self) -> FloatArray:
        """Top-left, top-right, bottom-right and bottom-left, 4×2 pixels."""
        return OrientedBox(self.center_x, self.center_y, self.width, self.height).corners()

    @classmethod
    def from_corners(cls, points: ArrayLike) -> AxisAlignedBox:
        """The bounding box of N×2 points."""
        array = np.asarray(points, dtype=np.float64)
        low, high = array.min(axis=0), array.max(axis=0)
        center, size = (low + high) / 2, high - low
        return cls(float(center[0]), float(center[1]), float(size[0]), float(size[1]))


def oriented_box_of_view(frame_from_view: ArrayLike, width: int, height: int) -> OrientedBox:
    """The oriented box in the frame that a W × H view covers, exact for similarities.

    A projective view is taken by its Jacobian at the view's centre: the box's x axis is the
    view's, and its area the view's under that Jacobian. Raises InvalidTransformError for a
    mirrored or singular transform.
    """
    center = view_center(width, height)
    (frame_center,) = transform_points(frame_from_view, center[None])
    linear = np.column_stack([jacobian_at(frame_from_view, center), np.zeros(2)])
    parts = decompose_affine(linear)
    return OrientedBox(
        float(frame_center[0]),
        float(frame_center[1]),
        parts.scale_x * width,
        parts.scale_y * height,
        parts.angle_rad,
    )


def oriented_iou(
    first: OrientedBox | AxisAlignedBox, second: OrientedBox | AxisAlignedBox
) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    distance = math.hypot(first.center_x - second.center_x, first.center_y - second.center_y)
    reach = math.hypot(first.width, first.height) + math.hypot(second.width, second.height)
    if distance * 2 >= reach:
        return 0.0
    overlap = polygon_area(convex_intersection(first.corners(), second.corners()))
    union = first.area + second.area - overlap
    return min(1.0, overlap / union) if union > 0 else 0.0


def frame_from_crop(
    box: OrientedBox | AxisAlignedBox,
    margin: float,
    crop_width: int,
    crop_height: int,
    shape: CropShape,
) -> FloatArray:
    """3×3 pixel transform of the crop that shows ``box``; an oriented box gives a turned crop.

    ``margin`` multiplies the box's size about its centre (1 = the box itself). ``stretch`` fits
    both sides of the box to the crop; ``square`` keeps the frame's pixels square, and shows the
    smallest region of the crop's aspect that holds the box. Edges fall on edges: the crop's
    corner (-0.5, -0.5) is the region's corner. Raises ValueError for a box without area.
    """
    check_size(box.width, box.height, "box")
    check_size(crop_width, crop_height, "crop")
    if not 0 < margin < math.inf:
        raise ValueError(f"margin is {margin}, expected a positive factor of the box's size")
    scale_x = box.width * margin / crop_width
    scale_y = box.height * margin / crop_height
    if shape == "square":
        scale_x = scale_y = max(scale_x, scale_y)
    elif shape != "stretch":
        raise ValueError(f"crop shape is {shape!r}, expected 'stretch' or 'square'")
    cos, sin = math.cos(box.angle_rad), math.sin(box.angle_rad)
    result = np.eye(3)
    result[:2, :2] = np.array([[cos * scale_x, -sin * scale_y], [sin * scale_x, cos * scale_y]])
    center = np.array([box.center_x, box.center_y])
    result[:2, 2] = center - result[:2, :2] @ view_center(crop_width, crop_height)
    return result
