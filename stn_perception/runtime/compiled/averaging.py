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
    # Some pixels to spare: cells read up to there, with a share of 0.
    sums = np.zeros((high - low + 3) * channels, dtype=np.float32)
    inside = sums[(from_x - low) * channels : (from_x - low) * channels + length]
    places, shares = _cell_shares(first_column, columns, size_x, size_y, channels)
    means = np.empty(columns * channels, dtype=np.float32)
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
        means[:] = np.float32(0.5)
        for tap in range(len(shares)):
            _add_tap(means, shares[tap], places, sums[tap * channels :])
        _round_down(means, result[row * columns * channels :])
    return result


@compiled
def _cell_shares(
    first: int, columns: int, size_x: float, size_y: float, channels: int
) -> tuple[Any, Any]:
    """For each value of a row of cells: the place of the first sum that it takes, and the shares.

    Returns:
        int32 of columns·channels, and float32 of taps×columns·channels: what the sum so many
        pixels further on gives to the cell's mean.
    """
    start = math.floor(first * size_x)
    taps = math.ceil(size_x) + 1
    places = np.empty(columns * channels, dtype=np.int32)
    shares = np.zeros((taps, columns * channels), dtype=np.float32)
    for column in range(columns):
        x_from = (first + column) * size_x - start
        x_to = (first + column + 1) * size_x - start
        pixel = math.floor(x_from)
        for channel in range(channels):
            value = column * channels + channel
            places[value] = pixel * channels + channel
            for tap in range(taps):
                x = pixel + tap
                share = min(x_to, x + 1.0) - max(x_from, float(x))
                shares[tap, value] = np.float32(max(0.0, share) / (size_x * size_y))
    return places, shares


@compiled
def _add_tap(means: Any, shares: Any, places: Any, sums: Any) -> None:
    for value in range(len(means)):
        means[value] += shares[value] * sums[np.uint32(places[value])]


@compiled
def _round_down(means: Any, out: Any) -> None:
    for value in range(len(means)):
        out[value] = np.uint8(np.int32(min(np.float32(255.0), means[value])))
