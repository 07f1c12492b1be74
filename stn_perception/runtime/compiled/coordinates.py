# SPDX-License-Identifier: Apache-2.0
"""Which bytes of a source make each pixel of a row, and with which weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stn_perception.runtime.compiled.jit import compiled

# What a row's offsets say of pixels that have none.
AT_THE_EDGE, OUTSIDE = -1, -2
_ONE = np.float32(1.0)


@compiled
def coordinates(
    transform: Any, y: int, width: int, source: Any, channels: int, xs: Any, ys: Any, offsets: Any
) -> None:
    """Where each pixel of one row of a view is read.

    Args:
        transform: source_from_view, 3×3 float64.
        y: The row.
        width: The view's.
        source: address, bytes per row, left, top, right, bottom; see ``source_of``.
        channels: The source's.
        xs: Becomes the fraction of each pixel's x where the pixel has an offset, x elsewhere.
        ys: The same for y.
        offsets: Becomes the byte of the left upper of the four pixels, relative to the source's
            pixel (0, 0); a negative value where one of the four lies beyond the source.
    """
    _, row_bytes, first_column, first_row, last_column, last_row = source
    # Three channels are read as eight bytes: two pixels and two bytes of a third.
    spare = 2 if channels == 3 else 1
    left, top = np.float32(first_column), np.float32(first_row)
    right, bottom = np.float32(last_column - spare), np.float32(last_row - 1)
    far_left, far_top = np.float32(first_column - 1), np.float32(first_row - 1)
    far_right, far_bottom = np.float32(last_column), np.float32(last_row)
    step_x, step_y = np.float32(transform[0, 0]), np.float32(transform[1, 0])
    step_w = np.float32(transform[2, 0])
    x_0 = np.float32(transform[0, 1] * y + transform[0, 2])
    y_0 = np.float32(transform[1, 1] * y + transform[1, 2])
    w_0 = np.float32(transform[2, 1] * y + transform[2, 2])
    zero = np.float32(0.0)
    for column in range(width):
        at = np.float32(column)
        w = step_w * at + w_0
        inverse = _ONE / w
        x, y_at = (step_x * at + x_0) * inverse, (step_y * at + y_0) * inverse
        in_front = w > zero
        is_inside = in_front & (x >= left) & (y_at >= top) & (x < right) & (y_at < bottom)
        is_near = (
            in_front & (x > far_left) & (y_at > far_top) & (x < far_right) & (y_at < far_bottom)
        )
        whole_x = np.int32(x if is_inside else zero)
        whole_y = np.int32(y_at if is_inside else zero)
        xs[column] = x - np.float32(whole_x)
        ys[column] = y_at - np.float32(whole_y)
        elsewhere = np.int32(AT_THE_EDGE) if is_near else np.int32(OUTSIDE)
        offset = whole_y * np.int32(row_bytes) + whole_x * np.int32(channels)
        offsets[column] = offset if is_inside else elsewhere


@compiled
def at_the_edge(source: Any, channels: int, x: Any, y: Any) -> Any:
    """Four pixels of the source and their weights, where pixels beyond it are black.

    Args:
        source: address, bytes per row, left, top, right, bottom; see ``source_of``.
        channels: The source's.
        x: In the source's pixels, above -1 and below its width.
        y: The same for its height.

    Returns:
        Address of the left upper pixel, bytes to the right and to the lower one, four weights:
        0 for a pixel beyond the source, whose neighbour is read in its place.
    """
    address, row_bytes, first_column, first_row, last_column, last_row = source
    left, top = math.floor(x), math.floor(y)
    right_share, lower_share = x - np.float32(left), y - np.float32(top)
    left_share, upper_share = _ONE - right_share, _ONE - lower_share
    step, down = channels, row_bytes
    if left < first_column:
        left, left_share, step = first_column, np.float32(0.0), 0
    elif left + 1 >= last_column:
        right_share, step = np.float32(0.0), 0
    if top < first_row:
        top, upper_share, down = first_row, np.float32(0.0), 0
    elif top + 1 >= last_row:
        lower_share, down = np.float32(0.0), 0
    shares = (
        upper_share * left_share,
        upper_share * right_share,
        lower_share * left_share,
        lower_share * right_share,
    )
    return address + top * row_bytes + left * channels, (step, down), shares
