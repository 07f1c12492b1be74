# SPDX-License-Identifier: Apache-2.0
"""Means over cells of whole or fractional pixels, straight from a frame's bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray

from stn_perception.runtime.compiled.jit import compiled
from stn_perception.runtime.compiled.vector_operations import bytes_at


@compiled
def averaged(
    frame: Any, plan: Any, first_column: int, last_column: int, first_row: int, last_row: int
) -> Any:
    """Cells of a plan's part of a frame, rounded to the nearest level.

    Args:
        frame: address, width, height, bytes per row, channels.
        plan: ``plan_numbers``; the part may reach beyond the frame, which is black there.
        first_column: Cells from here
        last_column: to before here along x,
        first_row: and these
        last_row: along y.

    Returns:
        Flat uint8 of rows×columns×channels, with eight bytes to spare at the end.
    """
    address, frame_width, frame_height, row_bytes, channels = frame
    _, left, top, width, height, reduced_width, reduced_height = plan
    size_x, size_y = width / reduced_width, height / reduced_height
    columns, rows = last_column - first_column, last_row - first_row
    # Frame pixels under the wanted columns, and those of them that the frame has.
    low = left + math.floor(first_column * size_x)
    high = left + min(width, math.ceil(last_column * size_x))
    from_x, to_x = max(0, low), min(frame_width, high)
    result = np.empty(rows * columns * channels + 8, dtype=np.uint8)
    if to_x <= from_x:
        result[:] = 0
        return result
    length = (to_x - from_x) * channels
    sums = np.zeros((high - low + 1) * channels, dtype=np.float32)
    inside = sums[(from_x - low) * channels : (from_x - low) * channels + length]
    area = np.float32(1.0 / (size_x * size_y))
    for row in range(rows):
        inside[:] = 0
        y_from, y_to = (first_row + row) * size_y, (first_row + row + 1) * size_y
        for line in range(math.floor(y_from), min(height, math.ceil(y_to))):
            y = top + line
            if y < 0 or y >= frame_height:
                continue
            weight = np.float32(min(y_to, line + 1.0) - max(y_from, float(line)))
            source = carray(bytes_at(address + y * row_bytes + from_x * channels), (length,))
            for index in range(length):
                inside[index] += weight * np.float32(source[index])
        _across(
            sums, result[row * columns * channels :], first_column, columns, size_x, area, channels
        )
    return result


@compiled
def _across(
    sums: Any, out: Any, first: int, columns: int, size: float, area: Any, channels: int
) -> None:
    """Mean of each cell from the sums of its pixels' columns."""
    start = math.floor(first * size)
    total = np.zeros(4, dtype=np.float32)
    for column in range(columns):
        x_from = (first + column) * size - start
        x_to = (first + column + 1) * size - start
        total[:] = 0
        for x in range(math.floor(x_from), math.ceil(x_to)):
            weight = np.float32(min(x_to, x + 1.0) - max(x_from, float(x)))
            for channel in range(channels):
                total[channel] += weight * sums[x * channels + channel]
        for channel in range(channels):
            out[column * channels + channel] = np.uint8(
                min(np.float32(255.0), total[channel] * area + np.float32(0.5))
            )
