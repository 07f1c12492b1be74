# SPDX-License-Identifier: Apache-2.0
"""Where the rows of a view are read: in the frame's own bytes, or in cells averaged for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stn_perception.runtime.compiled.averaging import averaged
from stn_perception.runtime.compiled.jit import compiled
from stn_perception.runtime.sampling_plan import plan_numbers


@compiled
def source_of(frame: Any, transform: Any, size: Any, first_row: int, last_row: int) -> Any:
    """Where rows of a view are read: in the frame itself, or in cells averaged for these rows.

    Args:
        frame: address, width, height, bytes per row, channels.
        transform: frame_from_view, 3×3 float64.
        size: The view's width and height, and whether to average.
        first_row: Rows of the view from here
        last_row: to before here.

    Returns:
        The averaged bytes, which live as long as they are held; the source: address of its pixel
        (0, 0), bytes per row, and the left, top, right and bottom of the pixels that it has;
        source_from_view, 3×3 float64, zero where the view shows nothing, so that no pixel of it
        is in front. Pixels are counted from the corner of what the whole view sees, so that
        float32 holds their fractions in frames of any size, and so that they are the same
        whichever rows are asked for.
    """
    view_width, view_height, antialias = size
    address, frame_width, frame_height, row_bytes, channels = frame
    plan = plan_numbers(transform, view_width, view_height, frame_width, frame_height, antialias)
    is_seen, left, top, width, height, reduced_width, reduced_height = plan
    held = np.empty(0, dtype=np.uint8)
    result = np.zeros((3, 3))
    if not is_seen:
        return held, (address, row_bytes, 0, 0, 0, 0), result
    scale_x, scale_y = reduced_width / width, reduced_height / height
    for column in range(3):
        w = transform[2, column]
        result[0, column] = scale_x * (transform[0, column] + (0.5 - left) * w) - 0.5 * w
        result[1, column] = scale_y * (transform[1, column] + (0.5 - top) * w) - 0.5 * w
        result[2, column] = w
    if reduced_width == width and reduced_height == height:
        corner = address + top * row_bytes + left * channels
        return held, (corner, row_bytes, 0, 0, width, height), result
    box = _cells_of_rows(result, view_width, first_row, last_row, reduced_width, reduced_height)
    first_column, last_column, first_cell_row, last_cell_row = box
    held = averaged(frame, plan, first_column, last_column, first_cell_row, last_cell_row)
    stride = (last_column - first_column) * channels
    origin = np.intp(held.ctypes.data) - first_cell_row * stride - first_column * channels
    source = (origin, stride, first_column, first_cell_row, last_column, last_cell_row)
    return held, source, result


@compiled
def _cells_of_rows(
    transform: Any, view_width: int, first_row: int, last_row: int, columns: int, rows: int
) -> tuple[int, int, int, int]:
    """Cells that rows of a view read: first and last column, first and last row."""
    low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
    for corner in range(4):
        x = 0.0 if corner % 2 == 0 else view_width - 1.0
        y = float(first_row) if corner < 2 else last_row - 1.0
        w = transform[2, 0] * x + transform[2, 1] * y + transform[2, 2]
        if w <= 0:
            return 0, columns, 0, rows
        at_x = (transform[0, 0] * x + transform[0, 1] * y + transform[0, 2]) / w
        at_y = (transform[1, 0] * x + transform[1, 1] * y + transform[1, 2]) / w
        low_x, high_x = min(low_x, at_x), max(high_x, at_x)
        low_y, high_y = min(low_y, at_y), max(high_y, at_y)
    first_column, last_column = _span(low_x, high_x, columns)
    first_cell_row, last_cell_row = _span(low_y, high_y, rows)
    return first_column, last_column, first_cell_row, last_cell_row


@compiled
def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Cells around low..high, at least one; two to spare for what float32 rounds."""
    first = math.floor(min(max(low, 0.0), size - 1.0)) - 2
    last = math.ceil(min(max(high, 0.0), size - 1.0)) + 3
    return max(0, first), min(size, last)
