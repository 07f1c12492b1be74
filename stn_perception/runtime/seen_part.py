# SPDX-License-Identifier: Apache-2.0
"""Which part of a view shows the frame, in plain numbers that can be compiled.

In the view's own coordinates every condition is a half-plane, also for a projective transform:
with (p, q, w) = frame_from_view · (x, y, 1), "in front" is w > 0 and "inside the frame" is
p >= -w/2, p <= (W - 1/2)·w and the same for q. So the visible part is a convex polygon: five
half-planes cut the view's rectangle (Sutherland-Hodgman).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.compiled.jit import compiled

Vector = NDArray[np.float64]

_IN_FRONT = 1e-9
# Four corners, and one more for each half-plane that cuts.
_MOST_CORNERS = 16


@compiled
def seen_part(
    transform: Vector,
    view_width: int,
    view_height: int,
    frame_width: int,
    frame_height: int,
    border_px: float,
) -> tuple[int, Vector, Vector]:
    """Corners of the part of the view that lies in the frame.

    Args:
        transform: frame_from_view, 3×3 float64 in pixels; w > 0 is in front of the camera.
        view_width: In pixels, like the other sizes.
        view_height: See above.
        frame_width: See above.
        frame_height: See above.
        border_px: How far the frame is taken to reach beyond its edges.

    Returns:
        The number of corners (0 where nothing is seen) and arrays whose first so many elements
        are their x and y in the view's pixels.
    """
    xs, ys = np.empty(_MOST_CORNERS), np.empty(_MOST_CORNERS)
    xs[0] = xs[3] = ys[0] = ys[1] = -0.5
    xs[1] = xs[2] = view_width - 0.5
    ys[2] = ys[3] = view_height - 0.5
    other_xs, other_ys = np.empty(_MOST_CORNERS), np.empty(_MOST_CORNERS)
    values = np.empty(_MOST_CORNERS)
    low = 0.5 + border_px
    high_x, high_y = frame_width - 0.5 + border_px, frame_height - 0.5 + border_px
    wx, wy, wc = float(transform[2, 0]), float(transform[2, 1]), float(transform[2, 2])
    behind = _IN_FRONT * max(abs(wx), max(abs(wy), abs(wc)))
    count = 4
    for side in range(5):
        # row = share_x · x row + share_y · y row + share_w · w row of the transform
        share_x, share_y, share_w = 0.0, 0.0, 1.0
        if side == 1:
            share_x, share_w = 1.0, low
        elif side == 2:
            share_x, share_w = -1.0, high_x
        elif side == 3:
            share_y, share_w = 1.0, low
        elif side == 4:
            share_y, share_w = -1.0, high_y
        a = share_x * float(transform[0, 0]) + share_y * float(transform[1, 0]) + share_w * wx
        b = share_x * float(transform[0, 1]) + share_y * float(transform[1, 1]) + share_w * wy
        c = share_x * float(transform[0, 2]) + share_y * float(transform[1, 2]) + share_w * wc
        if side == 0:
            c -= behind
        inside = 0
        for index in range(count):
            values[index] = a * xs[index] + b * ys[index] + c
            if values[index] >= 0:
                inside += 1
        if inside == 0:
            return 0, xs, ys
        if inside == count:
            continue
        kept = 0
        for index in range(count):
            following = (index + 1) % count
            here, there = values[index], values[following]
            if here >= 0:
                other_xs[kept], other_ys[kept] = xs[index], ys[index]
                kept += 1
            if (here >= 0) != (there >= 0):
                share = here / (here - there)
                other_xs[kept] = xs[index] + share * (xs[following] - xs[index])
                other_ys[kept] = ys[index] + share * (ys[following] - ys[index])
                kept += 1
        xs, other_xs = other_xs, xs
        ys, other_ys = other_ys, ys
        count = kept
    return count, xs, ys
