# SPDX-License-Identifier: Apache-2.0
"""What stands where in the tables that the kernels read and write.

``frames`` int64 F×FRAME_FIELDS: address of pixel (0, 0), width, height, bytes from row to row,
bytes from pixel to pixel, number of the colour order in ``COLOR_ORDERS``.

``exact`` float64 N×EXACT: 0-8 frame_from_view, zero with w = -1 where it is not finite; 9 valid
fraction; 10-13 cells from frame pixels about the origin cell (scale x, shift x, scale y,
shift y); 14-15 the origin in the view; 16 w in the middle of what is seen; 17-18 first column and
row of the part of the frame; 19 whether anything is seen.

``floats`` float32 N×FLOATS: 0-8 origin cell from view pixels about the view's origin, by rows,
divided by w in the middle; 9-10 frame pixels per cell along x and y; 11-12 the origin cell's
first edge in frame pixels, pixel p reaching from p to p + 1.

``ints`` int32 N×INTS: 0-1 the origin in the view; 2-3 first cell and one past the last along x,
counted from the origin cell; 4-5 the same along y; 6 whether anything is seen; 7 whether cells
are larger than pixels.
"""

from __future__ import annotations

from stn_perception.messages.encodings import ColorOrder

FRAME_FIELDS = 6
FRAME_ADDRESS, FRAME_WIDTH, FRAME_HEIGHT, FRAME_ROW, FRAME_PIXEL, FRAME_COLOR = range(6)
EXACT = 20
FLOATS = 16
INTS = 8

VALID_FRACTION = 9

COLOR_ORDERS: tuple[ColorOrder, ...] = ("gray", "rgb", "bgr", "rgba", "bgra")
