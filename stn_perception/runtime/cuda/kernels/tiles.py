# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""Which pixels of which view a program works on, and where they lie among the frame's cells.

Axis 0 of the grid counts tiles of a view, axis 1 views. Columns and cells are counted from the
plan's origin, so that float32 is exact enough.
"""

import triton
import triton.language as tl

from stn_perception.runtime.cuda import plan_layout as layout

_FRAME_FIELDS = tl.constexpr(layout.FRAME_FIELDS)
_FLOATS = tl.constexpr(layout.FLOATS)
_INTS = tl.constexpr(layout.INTS)
_FARTHEST = tl.constexpr(1e6)  # beyond any frame, and still a whole number in float32


@triton.jit
def view_of(frames_ptr, frame_of_view_ptr, floats_ptr, ints_ptr):
    """This program's view, the fields of its frame, and its plan."""
    view = tl.program_id(1)
    frame = frames_ptr + tl.load(frame_of_view_ptr + view) * _FRAME_FIELDS
    return view, frame, floats_ptr + view * _FLOATS, ints_ptr + view * _INTS


@triton.jit
def tile_of(width, height, TILE_X: tl.constexpr, TILE_Y: tl.constexpr):
    """Columns and rows of this program's pixels, and which of them the view has.

    A warp takes a patch of 8×4 rather than a row: turned by any angle, a patch lies in few of
    the frame's rows, so that one load of a warp touches few cache lines.
    """
    PATCH_X: tl.constexpr = min(TILE_X, 8)
    PATCH_Y: tl.constexpr = min(TILE_Y, 4)
    tiles_x = (width + TILE_X - 1) // TILE_X
    tile = tl.program_id(0)
    lane = tl.arange(0, TILE_X * TILE_Y)
    patch, within = lane // (PATCH_X * PATCH_Y), lane % (PATCH_X * PATCH_Y)
    patches_x: tl.constexpr = TILE_X // PATCH_X
    column = (patch % patches_x) * PATCH_X + within % PATCH_X
    row = (patch // patches_x) * PATCH_Y + within // PATCH_X
    column, row = (tile % tiles_x) * TILE_X + column, (tile // tiles_x) * TILE_Y + row
    return column, row, (column < width) & (row < height)


@triton.jit
def position(floats, ints, column, row, used):
    """Where pixels of a view look.

    Args:
        floats: The view's plan.
        ints: See above.
        column: Of the pixels.
        row: See above.
        used: Which of them the view has.

    Returns:
        Which of them may show the frame; their cell coordinates from the origin cell; w; their
        offsets in the view from the plan's origin.
    """
    dx = (column - tl.load(ints)).to(tl.float32)
    dy = (row - tl.load(ints + 1)).to(tl.float32)
    x = tl.load(floats + 0) * dx + tl.load(floats + 1) * dy + tl.load(floats + 2)
    y = tl.load(floats + 3) * dx + tl.load(floats + 4) * dy + tl.load(floats + 5)
    w = tl.load(floats + 6) * dx + tl.load(floats + 7) * dy + tl.load(floats + 8)
    # Correctly rounded: an affine view's w is exactly 1 and must leave x and y as they are.
    inverse = tl.div_rn(tl.full(w.shape, 1.0, tl.float32), tl.where(w > 0, w, 1.0))
    x = tl.minimum(tl.maximum(x * inverse, -_FARTHEST), _FARTHEST)
    y = tl.minimum(tl.maximum(y * inverse, -_FARTHEST), _FARTHEST)
    in_front = used & (w > 0) & (tl.load(ints + 6) != 0)
    return in_front, x, y, w, dx, dy
