# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""What a pixel of a view reads where it samples its frame.

A view pixel interpolates between cells (``TAPS`` along each axis: 1 nearest, 2 linear, 4 cubic),
and a cell is the mean of the frame pixels under it. Both are done in one sum over the pixels
under all the cells that are read: a pixel's weight is separable, along each axis the cells'
weights times the pixel's share in each. Nothing is stored in between and nothing is rounded; the
reference rounds cells to whole levels, which is where the two differ by up to half a level.
"""

import triton
import triton.language as tl

from stn_perception.runtime.cuda import plan_layout as layout

_FRAME_ADDRESS = tl.constexpr(layout.FRAME_ADDRESS)
_FRAME_WIDTH = tl.constexpr(layout.FRAME_WIDTH)
_FRAME_HEIGHT = tl.constexpr(layout.FRAME_HEIGHT)
_FRAME_ROW = tl.constexpr(layout.FRAME_ROW)
_FRAME_PIXEL = tl.constexpr(layout.FRAME_PIXEL)
_CUBIC = tl.constexpr(-0.75)
_ROUND = tl.constexpr(1.5 * 2.0**23)  # adding and subtracting it rounds, ties to even


@triton.jit
def round_even(value):
    """The nearest whole number of float32 within ±2^22."""
    return (value + _ROUND) - _ROUND


@triton.jit
def cell_weight(distance, TAPS: tl.constexpr):
    """The interpolation kernel at a distance in cells."""
    d = tl.abs(distance)
    if TAPS == 4:
        near = ((_CUBIC + 2) * d - (_CUBIC + 3)) * d * d + 1
        far = ((_CUBIC * d - 5 * _CUBIC) * d + 8 * _CUBIC) * d - 4 * _CUBIC
        weight = tl.where(d <= 1, near, tl.where(d < 2, far, 0.0))
    elif TAPS == 2:
        weight = tl.maximum(1 - d, 0.0)
    else:
        weight = tl.full(d.shape, 1.0, tl.float32)
    return weight


@triton.jit
def first_cell(at, TAPS: tl.constexpr):
    """The first of the cells that are read, a whole number as float32."""
    return round_even(at) if TAPS == 1 else tl.floor(at) - (TAPS // 2 - 1)


@triton.jit
def weight_until(until, at, cell, low, high, edge, size, TAPS: tl.constexpr):
    """What all frame pixels before an edge count for along one axis, times ``size``.

    A pixel counts for the difference between its two edges. All but the edge is the same for
    every pixel of a loop, and leaves it.

    Args:
        until: The edge in frame pixels, float32; pixel p reaches from p to p + 1.
        at: Where the view pixel lies, in cells.
        cell: The first cell that is read.
        low: The plan's first cell; those before it are black.
        high: One past its last.
        edge: First edge of the origin cell in frame pixels.
        size: Frame pixels per cell.
        TAPS: Cells that are read.
    """
    weight = tl.full(at.shape, 0.0, tl.float32)
    for tap in tl.static_range(TAPS):
        number = cell + tap
        counts = cell_weight(at - number, TAPS)
        counts = tl.where((number >= low) & (number < high), counts, 0.0)
        covered = tl.minimum(tl.maximum(until - (edge + number * size), 0.0), size)
        weight += counts * covered
    return weight


@triton.jit
def pixels_under(size, CELLS: tl.constexpr):
    """How many pixels a run of cells touches at most: exactly as many where cells are pixels."""
    exact = tl.full([], CELLS, tl.int32)
    return tl.where(size == 1.0, exact, tl.ceil(CELLS * size).to(tl.int32) + 1)


@triton.jit
def read(row_ptr, column, channel, inside, pixel_bytes):
    """One channel of some pixels of a row, float32; 0 where there is none."""
    there = inside & (channel < pixel_bytes)
    return tl.load(row_ptr + (column * pixel_bytes + channel), there, 0).to(tl.float32)


@triton.jit
def frame_memory(frame):
    """Address of pixel (0, 0), width, height, bytes from row to row and from pixel to pixel."""
    base = tl.load(frame + _FRAME_ADDRESS).to(tl.pointer_type(tl.uint8))
    width = tl.load(frame + _FRAME_WIDTH).to(tl.int32)
    height = tl.load(frame + _FRAME_HEIGHT).to(tl.int32)
    row_bytes = tl.load(frame + _FRAME_ROW)
    pixel_bytes = tl.load(frame + _FRAME_PIXEL).to(tl.int32)
    return base, width, height, row_bytes, pixel_bytes


@triton.jit
def cells_of(floats, ints):
    """Size and first edge of the origin cell in frame pixels; the cells of x and of y.

    Cells are counted from the origin cell, each axis from its first to one past its last.
    """
    size_x, size_y = tl.load(floats + 9), tl.load(floats + 10)
    edge_x, edge_y = tl.load(floats + 11), tl.load(floats + 12)
    low_x, high_x = tl.load(ints + 2), tl.load(ints + 3)
    low_y, high_y = tl.load(ints + 4), tl.load(ints + 5)
    return size_x, size_y, edge_x, edge_y, low_x, high_x, low_y, high_y


@triton.jit
def accumulate(frame, floats, ints, x, y, in_front, TAPS: tl.constexpr, CHANNELS: tl.constexpr):
    """The first four channels of a view's pixels, levels 0 to 255, channels without one 0.

    Args:
        frame: The frame's fields.
        floats: The view's plan.
        ints: See above.
        x: Cell coordinates, float32, from the origin cell.
        y: See above.
        in_front: Which pixels show anything.
        TAPS: Cells that are read along each axis.
        CHANNELS: Channels wanted: 3 leaves the fourth unread.
    """
    base, width, height, row_bytes, pixel_bytes = frame_memory(frame)
    size_x, size_y, edge_x, edge_y, low_x, high_x, low_y, high_y = cells_of(floats, ints)
    cell_x, cell_y = first_cell(x, TAPS), first_cell(y, TAPS)
    c0 = tl.full(x.shape, 0.0, tl.float32)
    c1 = tl.full(x.shape, 0.0, tl.float32)
    c2 = tl.full(x.shape, 0.0, tl.float32)
    c3 = tl.full(x.shape, 0.0, tl.float32)
    if tl.load(ints + 7) == 0:
        # Cells are pixels: unrolled, all loads independent of each other.
        for j in tl.static_range(TAPS):
            row = (cell_y + j + edge_y).to(tl.int32)
            row_ptr = base + row.to(tl.int64) * row_bytes
            there_y = in_front & (row >= 0) & (row < height)
            weight_y = cell_weight(y - (cell_y + j), TAPS)
            for i in tl.static_range(TAPS):
                column = (cell_x + i + edge_x).to(tl.int32)
                there = there_y & (column >= 0) & (column < width)
                weight = weight_y * cell_weight(x - (cell_x + i), TAPS)
                c0 += weight * read(row_ptr, column, 0, there, pixel_bytes)
                c1 += weight * read(row_ptr, column, 1, there, pixel_bytes)
                c2 += weight * read(row_ptr, column, 2, there, pixel_bytes)
                if CHANNELS == 4:
                    c3 += weight * read(row_ptr, column, 3, there, pixel_bytes)
    else:
        first_x = tl.floor(edge_x + cell_x * size_x)
        first_y = tl.floor(edge_y + cell_y * size_y)
        before_y = tl.full(x.shape, 0.0, tl.float32)
        for j in range(pixels_under(size_y, TAPS)):
            pixel_y = first_y + j
            until_y = weight_until(pixel_y + 1, y, cell_y, low_y, high_y, edge_y, size_y, TAPS)
            row = pixel_y.to(tl.int32)
            row_ptr = base + row.to(tl.int64) * row_bytes
            there_y = in_front & (row >= 0) & (row < height)
            before_x = tl.full(x.shape, 0.0, tl.float32)
            for i in range(pixels_under(size_x, TAPS)):
                pixel_x = first_x + i
                until_x = weight_until(pixel_x + 1, x, cell_x, low_x, high_x, edge_x, size_x, TAPS)
                column = pixel_x.to(tl.int32)
                there = there_y & (column >= 0) & (column < width)
                weight = (until_y - before_y) * (until_x - before_x)
                c0 += weight * read(row_ptr, column, 0, there, pixel_bytes)
                c1 += weight * read(row_ptr, column, 1, there, pixel_bytes)
                c2 += weight * read(row_ptr, column, 2, there, pixel_bytes)
                if CHANNELS == 4:
                    c3 += weight * read(row_ptr, column, 3, there, pixel_bytes)
                before_x = until_x
            before_y = until_y
        share = 1.0 / (size_x * size_y)
        c0, c1, c2, c3 = c0 * share, c1 * share, c2 * share, c3 * share
    return c0, c1, c2, c3
