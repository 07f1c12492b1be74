# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""Network inputs and views, each from the frames' own bytes in one pass.

Frames differ in size, layout and colour order within one launch: their addresses stand in a table.
"""

import triton
import triton.language as tl

from stn_perception.runtime.cuda import plan_layout as layout
from stn_perception.runtime.cuda.kernels.taps import accumulate, round_even
from stn_perception.runtime.cuda.kernels.tiles import position, tile_of, view_of

_FRAME_PIXEL = tl.constexpr(layout.FRAME_PIXEL)
_FRAME_COLOR = tl.constexpr(layout.FRAME_COLOR)


@triton.jit(do_not_specialize=["width", "height"])
def sample_inputs(
    frames_ptr,
    frame_of_view_ptr,
    floats_ptr,
    ints_ptr,
    colors_ptr,
    result_ptr,
    width,
    height,
    CHANNELS: tl.constexpr,
    TILE_X: tl.constexpr,
    TILE_Y: tl.constexpr,
):
    """Network inputs N×CHANNELS×height×width, colour converted and normalised.

    Args:
        frames_ptr: int64 F×FRAME_FIELDS.
        frame_of_view_ptr: int32 N.
        floats_ptr: The plan's, like ints_ptr.
        ints_ptr: See above.
        colors_ptr: float32 orders×3×4: per output channel the factors of the frame's first three
            channels and an addend, for levels 0 to 255.
        result_ptr: float32 or float16, contiguous.
        width: Of an input, in pixels, like height.
        height: See above.
        CHANNELS: 1 or 3.
        TILE_X: Pixels of one program, a power of two, like TILE_Y.
        TILE_Y: See above.
    """
    view, frame, floats, ints = view_of(frames_ptr, frame_of_view_ptr, floats_ptr, ints_ptr)
    column, row, used = tile_of(width, height, TILE_X, TILE_Y)
    in_front, x, y, _w, _dx, _dy = position(floats, ints, column, row, used)
    c0, c1, c2, _c3 = accumulate(frame, floats, ints, x, y, in_front, 2, 3)
    colors = colors_ptr + tl.load(frame + _FRAME_COLOR) * 12
    plane = width * height
    result = result_ptr + view.to(tl.int64) * CHANNELS * plane + (row * width + column)
    for channel in tl.static_range(CHANNELS):
        factors = colors + channel * 4
        value = c0 * tl.load(factors) + c1 * tl.load(factors + 1) + c2 * tl.load(factors + 2)
        value += tl.load(factors + 3)
        tl.store(result + channel * plane, value.to(result_ptr.dtype.element_ty), used)


@triton.jit(do_not_specialize=["width", "height"])
def sample_views(
    frames_ptr,
    frame_of_view_ptr,
    floats_ptr,
    ints_ptr,
    offsets_ptr,
    result_ptr,
    width,
    height,
    TAPS: tl.constexpr,
    CHANNELS: tl.constexpr,
    TILE_X: tl.constexpr,
    TILE_Y: tl.constexpr,
):
    """Views in their frames' colour orders, uint8 height×width×C each.

    Args:
        frames_ptr: int64 F×FRAME_FIELDS.
        frame_of_view_ptr: int32 N.
        floats_ptr: The plan's, like ints_ptr.
        ints_ptr: See above.
        offsets_ptr: int64 N, where each view begins in the result.
        result_ptr: uint8.
        width: Of a view, in pixels, like height.
        height: See above.
        TAPS: 1 nearest, 2 linear, 4 cubic.
        CHANNELS: 4 where any frame has four channels, else 3.
        TILE_X: Pixels of one program, a power of two, like TILE_Y.
        TILE_Y: See above.
    """
    view, frame, floats, ints = view_of(frames_ptr, frame_of_view_ptr, floats_ptr, ints_ptr)
    column, row, used = tile_of(width, height, TILE_X, TILE_Y)
    in_front, x, y, _w, _dx, _dy = position(floats, ints, column, row, used)
    c0, c1, c2, c3 = accumulate(frame, floats, ints, x, y, in_front, TAPS, CHANNELS)
    pixel_bytes = tl.load(frame + _FRAME_PIXEL).to(tl.int32)
    result = result_ptr + tl.load(offsets_ptr + view) + (row * width + column) * pixel_bytes
    tl.store(result, _level(c0), used)
    tl.store(result + 1, _level(c1), used & (pixel_bytes > 1))
    tl.store(result + 2, _level(c2), used & (pixel_bytes > 2))
    if CHANNELS == 4:
        tl.store(result + 3, _level(c3), used & (pixel_bytes > 3))


@triton.jit
def _level(value):
    """The nearest level, ties to even."""
    return round_even(tl.minimum(tl.maximum(value, 0.0), 255.0)).to(tl.uint8)
