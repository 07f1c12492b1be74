# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""The derivative of network inputs by their transforms alone; the frames get none.

Linear interpolation has kinks at cell centres, and upright views put every pixel there; within
rounding of one the derivative is the mean of both sides, as in ``stn.symmetric_gradient``: three
cells are read along each axis. Which pixels make a cell is held constant. Tiles leave their sums
in a table, which is summed afterwards in a fixed order: no atomics, the same bits every time.
"""

import triton
import triton.language as tl

from stn_perception.runtime.cuda import plan_layout as layout
from stn_perception.runtime.cuda.kernels.taps import cells_of, frame_memory, pixels_under, read
from stn_perception.runtime.cuda.kernels.tiles import position, tile_of, view_of

_FRAME_COLOR = tl.constexpr(layout.FRAME_COLOR)
_TOLERANCE = tl.constexpr(1e-6)  # about eight times float32's rounding


@triton.jit
def _hat(distance, tolerance):
    """The linear kernel and its symmetric derivative."""
    size = tl.abs(distance)
    slope = tl.where(distance > 0, -1.0, 1.0)
    slope = tl.where(size < tolerance, 0.0, slope)
    slope = tl.where(tl.abs(size - 1) < tolerance, 0.5 * slope, slope)
    slope = tl.where(size - 1 >= tolerance, 0.0, slope)
    return tl.maximum(1 - size, 0.0), slope


@triton.jit
def _pixel(pixel, at, cell, low, high, edge, size, tolerance):
    """Weight and slope of a frame pixel along one axis, over the three cells around ``at``."""
    weight = tl.full(at.shape, 0.0, tl.float32)
    slope = tl.full(at.shape, 0.0, tl.float32)
    for tap in tl.static_range(3):
        number = cell + (tap - 1)
        start = edge + number * size
        covered = tl.minimum(pixel + 1, start + size) - tl.maximum(pixel, start)
        share = tl.where((number >= low) & (number < high), tl.maximum(covered, 0.0), 0.0)
        by_weight, by_slope = _hat(at - number, tolerance)
        weight += by_weight * share
        slope += by_slope * share
    return weight / size, slope / size


@triton.jit(do_not_specialize=["width", "height"])
def differentiate_inputs(
    frames_ptr,
    frame_of_view_ptr,
    floats_ptr,
    ints_ptr,
    colors_ptr,
    upstream_ptr,
    sums_ptr,
    width,
    height,
    CHANNELS: tl.constexpr,
    TILE_X: tl.constexpr,
    TILE_Y: tl.constexpr,
):
    """Each tile's share of the derivative by the plan's nine coefficients.

    Args:
        frames_ptr: int64 F×FRAME_FIELDS.
        frame_of_view_ptr: int32 N.
        floats_ptr: The plan's, like ints_ptr.
        ints_ptr: See above.
        colors_ptr: As for ``sample_inputs``.
        upstream_ptr: float32 N×CHANNELS×height×width, the loss by the inputs.
        sums_ptr: float32 N×tiles×9, out.
        width: Of an input, in pixels, like height.
        height: See above.
        CHANNELS: 1 or 3.
        TILE_X: Pixels of one program, a power of two, like TILE_Y.
        TILE_Y: See above.
    """
    view, frame, floats, ints = view_of(frames_ptr, frame_of_view_ptr, floats_ptr, ints_ptr)
    column, row, used = tile_of(width, height, TILE_X, TILE_Y)
    in_front, x, y, w, dx, dy = position(floats, ints, column, row, used)

    # The loss by each of the frame's own channels.
    colors = colors_ptr + tl.load(frame + _FRAME_COLOR) * 12
    plane = width * height
    upstream = upstream_ptr + view.to(tl.int64) * CHANNELS * plane + (row * width + column)
    g0 = tl.full(x.shape, 0.0, tl.float32)
    g1 = tl.full(x.shape, 0.0, tl.float32)
    g2 = tl.full(x.shape, 0.0, tl.float32)
    for channel in tl.static_range(CHANNELS):
        factors = colors + channel * 4
        loss = tl.load(upstream + channel * plane, in_front, 0.0)
        g0 += loss * tl.load(factors)
        g1 += loss * tl.load(factors + 1)
        g2 += loss * tl.load(factors + 2)

    base, frame_width, frame_height, row_bytes, pixel_bytes = frame_memory(frame)
    size_x, size_y, edge_x, edge_y, low_x, high_x, low_y, high_y = cells_of(floats, ints)
    cell_x, cell_y = tl.floor(x + 0.5), tl.floor(y + 0.5)
    first_x = tl.floor(edge_x + (cell_x - 1) * size_x)
    first_y = tl.floor(edge_y + (cell_y - 1) * size_y)
    near_x = _TOLERANCE * tl.maximum(tl.abs(x), 2.0)
    near_y = _TOLERANCE * tl.maximum(tl.abs(y), 2.0)
    by_x = tl.full(x.shape, 0.0, tl.float32)
    by_y = tl.full(x.shape, 0.0, tl.float32)
    for j in range(pixels_under(size_y, 3)):
        pixel_y = first_y + j
        wy, sy = _pixel(pixel_y, y, cell_y, low_y, high_y, edge_y, size_y, near_y)
        line = pixel_y.to(tl.int32)
        row_ptr = base + line.to(tl.int64) * row_bytes
        there_y = in_front & (line >= 0) & (line < frame_height)
        for i in range(pixels_under(size_x, 3)):
            pixel_x = first_x + i
            wx, sx = _pixel(pixel_x, x, cell_x, low_x, high_x, edge_x, size_x, near_x)
            at = pixel_x.to(tl.int32)
            there = there_y & (at >= 0) & (at < frame_width)
            value = g0 * read(row_ptr, at, 0, there, pixel_bytes)
            value += g1 * read(row_ptr, at, 1, there, pixel_bytes)
            value += g2 * read(row_ptr, at, 2, there, pixel_bytes)
            by_x += sx * wy * value
            by_y += wx * sy * value

    safe = tl.where(w > 0, w, 1.0)
    by_x = tl.where(in_front, by_x / safe, 0.0)
    by_y = tl.where(in_front, by_y / safe, 0.0)
    by_w = -(by_x * x + by_y * y)
    sums = sums_ptr + (view * tl.num_programs(0) + tl.program_id(0)) * 9
    tl.store(sums + 0, tl.sum(by_x * dx, 0))
    tl.store(sums + 1, tl.sum(by_x * dy, 0))
    tl.store(sums + 2, tl.sum(by_x, 0))
    tl.store(sums + 3, tl.sum(by_y * dx, 0))
    tl.store(sums + 4, tl.sum(by_y * dy, 0))
    tl.store(sums + 5, tl.sum(by_y, 0))
    tl.store(sums + 6, tl.sum(by_w * dx, 0))
    tl.store(sums + 7, tl.sum(by_w * dy, 0))
    tl.store(sums + 8, tl.sum(by_w, 0))
