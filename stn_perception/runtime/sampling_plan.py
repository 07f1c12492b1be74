# SPDX-License-Identifier: Apache-2.0
"""How a view is sampled from a frame: which pixels are needed, and how far to reduce them first.

Every back end follows the same plan, so that they differ by rounding alone. A view coarser than
the frame would alias: its part of the frame is first averaged over cells of whole or fractional
pixels along the frame's axes, then interpolated at about one cell per view pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.pixels import resized_from_source
from stn_perception.runtime.compiled.jit import compiled, kept_on_disk, source_version
from stn_perception.runtime.seen_part import seen_part

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
    transform = np.ascontiguousarray(frame_from_view, dtype=np.float64)
    numbers = _planner()(transform, view_width, view_height, frame_width, frame_height, antialias)
    is_seen, left, top, width, height, reduced_width, reduced_height, _ = numbers
    if not is_seen:
        return None
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


@cache
def _planner() -> Callable[..., tuple[bool, int, int, int, int, int, int, int]]:
    version = source_version()

    @kept_on_disk
    def plan(
        transform: Matrix,
        view_width: int,
        view_height: int,
        frame_width: int,
        frame_height: int,
        antialias: bool,
    ) -> tuple[bool, int, int, int, int, int, int, int]:
        numbers = plan_numbers(
            transform, view_width, view_height, frame_width, frame_height, antialias
        )
        return (*numbers, version)

    return plan


@compiled
def plan_numbers(
    transform: Matrix,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
    antialias: bool,
) -> tuple[bool, int, int, int, int, int, int]:
    """``sampling_plan`` in numbers that can be compiled: whether anything is seen, and the part.

    Args:
        transform: frame_from_view, contiguous 3×3 float64.
        view_width: See ``sampling_plan``, like the others.
        view_height: See above.
        frame_width: See above.
        frame_height: See above.
        antialias: See above.

    Returns:
        is_seen, left, top, width, height, reduced_width, reduced_height.
    """
    count, xs, ys = seen_part(transform, view_width, view_height, frame_width, frame_height, 1.0)
    if count == 0:
        return False, 0, 0, 0, 0, 0, 0
    low_x = low_y = np.inf
    high_x = high_y = -np.inf
    mean_x = mean_y = 0.0
    for index in range(count):
        x, y = float(xs[index]), float(ys[index])
        w = transform[2, 0] * x + transform[2, 1] * y + transform[2, 2]
        at_x = (transform[0, 0] * x + transform[0, 1] * y + transform[0, 2]) / w
        at_y = (transform[1, 0] * x + transform[1, 1] * y + transform[1, 2]) / w
        low_x, high_x = min(low_x, at_x), max(high_x, at_x)
        low_y, high_y = min(low_y, at_y), max(high_y, at_y)
        mean_x += x / count
        mean_y += y / count
    step_x = step_y = 1.0
    if antialias:
        step_x = frame_step(transform, 0, mean_x, mean_y)
        step_y = frame_step(transform, 1, mean_x, mean_y)
    left, width, reduced_width = cells(low_x + 0.5, high_x + 0.5, step_x, frame_width)
    top, height, reduced_height = cells(low_y + 0.5, high_y + 0.5, step_y, frame_height)
    return True, left, top, width, height, reduced_width, reduced_height


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


@compiled
def frame_step(transform: Matrix, axis: int, x: float, y: float) -> float:
    """Frame pixels per view pixel along the frame's x (0) or y (1) at a point of the view.

    The length of a row of the Jacobian: exact for views along the frame's axes, and the scale
    itself for a turned view (a sum of absolute values would blur one turned by 45° by 1.4).
    """
    w = transform[2, 0] * x + transform[2, 1] * y + transform[2, 2]
    at = (transform[axis, 0] * x + transform[axis, 1] * y + transform[axis, 2]) / w
    across = (transform[axis, 0] - at * transform[2, 0]) / w
    down = (transform[axis, 1] - at * transform[2, 1]) / w
    return float(math.sqrt(across * across + down * down))


@compiled
def cells(low: float, high: float, step: float, frame_size: int) -> tuple[int, int, int]:
    """First pixel, number of pixels and number of cells along one axis.

    Cells start at the view's edge (to the pixel), so that those of an upright view coincide with
    its pixels. Cells that overlap the frame's edge reach beyond it.

    Args:
        low: Where the seen part begins, measured from the frame's edge.
        high: Where it ends.
        step: Frame pixels per view pixel.
        frame_size: The frame's size along this axis.
    """
    if step < REDUCE_FROM:
        first = min(max(0, math.floor(low) - _REACH), frame_size - 1)
        last = max(first + 1, min(frame_size, math.ceil(high) + _REACH))
        return first, last - first, last - first
    step = min(step, max(REDUCE_FROM, frame_size / _FEWEST_CELLS))
    first_cell = max(-_REACH, math.floor(-low / step))
    last_cell = min(math.ceil((high - low) / step) + _REACH, math.ceil((frame_size - low) / step))
    count = max(1, last_cell - first_cell)
    return round(low + first_cell * step), max(1, round(count * step)), count
