# SPDX-License-Identifier: Apache-2.0
"""How a view is sampled from a frame: which pixels are needed, and how far to reduce them first.

Every back end follows the same plan, so that they differ by rounding alone. A view coarser than
the frame would alias: its part of the frame is first averaged over cells of whole or fractional
pixels along the frame's axes, then interpolated at about one cell per view pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import jacobian_at
from stn_perception.geometry.pixels import resized_from_source
from stn_perception.runtime.view_coverage import visible_polygon

Matrix = NDArray[np.float64]

# Linear interpolation at a random phase averages noise as an area filter of 1.5 pixels does
# (gain 2/3 along each axis), so it needs no help below that.
REDUCE_FROM = 1.5
# Linear interpolation reads one cell around a point, cubic two.
_REACH = 2
# A whole frame within fewer view pixels than this is not averaged further: cells may reach beyond
# the frame, and their cost must stay in proportion to it.
_FEWEST_CELLS = 4


@dataclass(frozen=True)
class SamplingPlan:
    """The part of a frame to read, and what to make of it.

    Attributes:
        left, top: First column and row of the part. Where it is averaged it may reach beyond
            the frame, which is black there.
        width, height: Its size in frame pixels.
        reduced_width, reduced_height: Size after averaging; equal to width and height where
            nothing is averaged.
        reduced_from_view: 3×3 in pixels of the averaged part.
    """

    left: int
    top: int
    width: int
    height: int
    reduced_width: int
    reduced_height: int
    reduced_from_view: Matrix

    @property
    def is_reduced(self) -> bool:
        """Whether pixels are averaged before interpolation."""
        return (self.reduced_width, self.reduced_height) != (self.width, self.height)

    def inside(self, frame_width: int, frame_height: int) -> tuple[slice, slice]:
        """Rows and columns of the part that the frame has."""
        return (
            slice(max(0, self.top), min(frame_height, self.top + self.height)),
            slice(max(0, self.left), min(frame_width, self.left + self.width)),
        )

    def padding(self, frame_width: int, frame_height: int) -> tuple[int, int, int, int]:
        """Black rows and columns around it: top, bottom, left, right."""
        return (
            max(0, -self.top),
            max(0, self.top + self.height - frame_height),
            max(0, -self.left),
            max(0, self.left + self.width - frame_width),
        )


def sampling_plan(
    frame_from_view: Matrix,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
    antialias: bool,
) -> SamplingPlan | None:
    """Plan for one view, or None where it shows nothing of the frame.

    Args:
        frame_from_view: 3×3 in pixels; w > 0 is in front of the camera.
        view_width: In pixels, like the other sizes.
        view_height: See above.
        frame_width: See above.
        frame_height: See above.
        antialias: Whether to average where the view is coarser than the frame.
    """
    transform = np.asarray(frame_from_view, dtype=np.float64)
    seen = visible_polygon(
        transform, view_width, view_height, frame_width, frame_height, border_px=1.0
    )
    if len(seen) == 0:
        return None
    homogeneous = np.column_stack([seen, np.ones(len(seen))]) @ transform.T
    points = homogeneous[:, :2] / homogeneous[:, 2:]
    step_x, step_y = _frame_step(transform, seen.mean(axis=0)) if antialias else (1.0, 1.0)
    left, width, reduced_width = _cells(points[:, 0], step_x, frame_width)
    top, height, reduced_height = _cells(points[:, 1], step_y, frame_height)
    part_from_frame = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    reduced_from_part = resized_from_source(reduced_width / width, reduced_height / height)
    return SamplingPlan(
        left=left,
        top=top,
        width=width,
        height=height,
        reduced_width=reduced_width,
        reduced_height=reduced_height,
        reduced_from_view=reduced_from_part @ part_from_frame @ transform,
    )


def is_in_front(view_to_anything: Matrix, view_width: int, view_height: int) -> bool:
    """Whether every view pixel has w > 0; w is linear, so its corners decide."""
    a, b, c = (float(value) for value in view_to_anything[2])
    right, bottom = a * (view_width - 1), b * (view_height - 1)
    return min(c, c + right, c + bottom, c + right + bottom) > 0


def in_front(view_to_anything: Matrix, view_width: int, view_height: int) -> NDArray[np.bool_]:
    """Height×width mask of view pixels with w > 0, by the transform's last row."""
    a, b, c = np.asarray(view_to_anything, dtype=np.float64)[2]
    rows = b * np.arange(view_height, dtype=np.float64)[:, None]
    columns = a * np.arange(view_width, dtype=np.float64)[None, :]
    mask: NDArray[np.bool_] = (rows + columns + c) > 0
    return mask


def _frame_step(transform: Matrix, at: Matrix) -> tuple[float, float]:
    """Frame pixels per view pixel along the frame's x and y, in the middle of what is seen.

    The length of each row of the Jacobian: exact for views along the frame's axes, and the scale
    itself for a turned view (a sum of absolute values would blur one turned by 45° by 1.4).
    """
    jacobian = jacobian_at(transform, at)
    return float(np.hypot(*jacobian[0])), float(np.hypot(*jacobian[1]))


def _cells(points: Matrix, step: float, frame_size: int) -> tuple[int, int, int]:
    """First pixel, number of pixels and number of cells along one axis.

    Cells start at the view's edge (to the pixel), so that those of an upright view coincide with
    its pixels. Cells that overlap the frame's edge reach beyond it.
    """
    low, high = float(points.min()) + 0.5, float(points.max()) + 0.5
    if step < REDUCE_FROM:
        first = min(max(0, math.floor(low) - _REACH), frame_size - 1)
        last = max(first + 1, min(frame_size, math.ceil(high) + _REACH))
        return first, last - first, last - first
    step = min(step, max(REDUCE_FROM, frame_size / _FEWEST_CELLS))
    first_cell = max(-_REACH, math.floor(-low / step))
    last_cell = min(math.ceil((high - low) / step) + _REACH, math.ceil((frame_size - low) / step))
    cells = max(1, last_cell - first_cell)
    return round(low + first_cell * step), max(1, round(cells * step)), cells
