# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""The sampling plan of every view, made on the device: ``runtime.sampling_plan`` in a kernel.

One program a view, all in float64. The plan says which pixels are averaged to which cells, and
holds the transform about an origin within the view, where float32 is exact enough: a coordinate
is then an offset from a whole cell near what is seen, however wide the frame is.

What a plan holds stands in ``plan_layout``.
"""

import triton
import triton.language as tl

from stn_perception.runtime.cuda import plan_layout as layout
from stn_perception.runtime.sampling_plan import _FEWEST_CELLS, _REACH, REDUCE_FROM
from stn_perception.runtime.seen_part import _IN_FRONT

# A convex quad cut by five half-planes has nine vertices.
LANES = tl.constexpr(16)
_ROUND = tl.constexpr(1.5 * 2.0**52)  # adding and subtracting it rounds, ties to even
_REDUCE_FROM = tl.constexpr(REDUCE_FROM)
_CELLS_REACH = tl.constexpr(float(_REACH))
_CELLS_FEWEST = tl.constexpr(float(_FEWEST_CELLS))
_BEHIND = tl.constexpr(_IN_FRONT)
_LARGEST = tl.constexpr(1e100)  # its square is still finite
_FRAME_FIELDS = tl.constexpr(layout.FRAME_FIELDS)
_FRAME_WIDTH = tl.constexpr(layout.FRAME_WIDTH)
_FRAME_HEIGHT = tl.constexpr(layout.FRAME_HEIGHT)
_EXACT = tl.constexpr(layout.EXACT)
_FLOATS = tl.constexpr(layout.FLOATS)
_INTS = tl.constexpr(layout.INTS)


@triton.jit
def _rint(value):
    return (value + _ROUND) - _ROUND


@triton.jit
def _largest(x, y, z):
    """The largest magnitude; infinity where there is none."""
    x = tl.where(tl.abs(x) < _LARGEST, tl.abs(x), float("inf"))
    y = tl.where(tl.abs(y) < _LARGEST, tl.abs(y), float("inf"))
    z = tl.where(tl.abs(z) < _LARGEST, tl.abs(z), float("inf"))
    return tl.maximum(tl.maximum(x, y), z)


@triton.jit
def _following(values, lane, count):
    """Each lane's next one, the last used lane's being the first."""
    following = tl.where(lane + 1 < count, lane + 1, 0)
    return tl.sum(tl.where(following[:, None] == lane[None, :], values[None, :], 0.0), 1)


@triton.jit
def _clip(x, y, count, lane, a, b, c):
    """The part of a convex polygon with a·x + b·y + c >= 0 (Sutherland-Hodgman)."""
    value = a * x + b * y + c
    used = lane < count
    following = _following(value, lane, count)
    keep = used & (value >= 0)
    cut = used & ((value >= 0) != (following >= 0))
    share = value / tl.where(cut, value - following, 1.0)
    cut_x = x + share * (_following(x, lane, count) - x)
    cut_y = y + share * (_following(y, lane, count) - y)
    emitted = keep.to(tl.int32) + cut.to(tl.int32)
    place = tl.sum(tl.where(lane[None, :] < lane[:, None], emitted[None, :], 0), 1)
    kept_here = keep[None, :] & (place[None, :] == lane[:, None])
    cut_here = cut[None, :] & ((place + keep.to(tl.int32))[None, :] == lane[:, None])
    new_x = tl.where(kept_here, x[None, :], 0.0) + tl.where(cut_here, cut_x[None, :], 0.0)
    new_y = tl.where(kept_here, y[None, :], 0.0) + tl.where(cut_here, cut_y[None, :], 0.0)
    return tl.sum(new_x, 1), tl.sum(new_y, 1), tl.sum(emitted, 0)


@triton.jit
def _half_plane(side, a, b, c, d, e, f, p, q, r, behind, low, high_x, high_y):
    """In front, then within the frame's left, right, top and bottom edge."""
    at_x, at_y = (side == 1) | (side == 2), (side == 3) | (side == 4)
    own = tl.where(side % 2 == 1, 1.0, -1.0)
    edge = tl.where(side == 2, high_x, tl.where(side == 4, high_y, low))
    u = tl.where(at_x, own * a + edge * p, tl.where(at_y, own * d + edge * p, p))
    v = tl.where(at_x, own * b + edge * q, tl.where(at_y, own * e + edge * q, q))
    t = tl.where(at_x, own * c + edge * r, tl.where(at_y, own * f + edge * r, r - behind))
    return u, v, t


@triton.jit
def _visible(
    a, b, c, d, e, f, p, q, r, view_width, view_height, frame_width, frame_height, border
):
    """Vertices of the part of the view that shows the frame, and how many they are."""
    lane = tl.arange(0, LANES)
    x = tl.where((lane == 1) | (lane == 2), view_width - 0.5, -0.5)
    y = tl.where((lane == 2) | (lane == 3), view_height - 0.5, -0.5)
    low = 0.5 + border
    high_x = frame_width - 0.5 + border
    high_y = frame_height - 0.5 + border
    behind = _BEHIND * tl.maximum(tl.maximum(tl.abs(p), tl.abs(q)), tl.abs(r))
    count = tl.sum((lane < 4).to(tl.int32), 0)
    outside = tl.sum((lane < 0).to(tl.int32), 0)
    for side in range(5):
        u, v, t = _half_plane(side, a, b, c, d, e, f, p, q, r, behind, low, high_x, high_y)
        outside += tl.sum(((lane < 4) & (((u * x + v * y + t) >= 0) == 0)).to(tl.int32), 0)
    if outside > 0:
        for side in range(5):
            u, v, t = _half_plane(side, a, b, c, d, e, f, p, q, r, behind, low, high_x, high_y)
            x, y, count = _clip(x, y, count, lane, u, v, t)
    return x, y, count


@triton.jit
def _cells(low, high, step, size):
    """First pixel, number of pixels and number of cells along one axis, as float64."""
    plain_first = tl.minimum(tl.maximum(0.0, tl.floor(low) - _CELLS_REACH), size - 1)
    plain_end = tl.minimum(size, tl.ceil(high) + _CELLS_REACH)
    plain = tl.maximum(plain_first + 1, plain_end) - plain_first
    step_kept = tl.minimum(step, tl.maximum(_REDUCE_FROM, size / _CELLS_FEWEST))
    first_cell = tl.maximum(-_CELLS_REACH, tl.floor(-low / step_kept))
    end_seen = tl.ceil((high - low) / step_kept) + _CELLS_REACH
    end_cell = tl.minimum(end_seen, tl.ceil((size - low) / step_kept))
    cells = tl.maximum(1.0, end_cell - first_cell)
    first = _rint(low + first_cell * step_kept)
    pixels = tl.maximum(1.0, _rint(cells * step_kept))
    is_plain = step < _REDUCE_FROM
    return (
        tl.where(is_plain, plain_first, first),
        tl.where(is_plain, plain, pixels),
        tl.where(is_plain, plain, cells),
    )


@triton.jit(do_not_specialize=["view_width", "view_height"])
def plan_views(
    frames_ptr,
    frame_of_view_ptr,
    matrices_ptr,
    exact_ptr,
    floats_ptr,
    ints_ptr,
    view_width,
    view_height,
    ANTIALIAS: tl.constexpr,
    ORIENT: tl.constexpr,
):
    """Write the plan of one view; the grid has one program a view.

    Args:
        frames_ptr: int64 F×FRAME_FIELDS.
        frame_of_view_ptr: int32 N, which frame a view is of.
        matrices_ptr: float64 N×3×3, frame_from_view in pixels.
        exact_ptr: float64 N×EXACT, out.
        floats_ptr: float32 N×FLOATS, out.
        ints_ptr: int32 N×INTS, out.
        view_width: In pixels, like view_height.
        view_height: See above.
        ANTIALIAS: Whether views coarser than the frame are averaged.
        ORIENT: Whether the matrix takes the sign that puts the view's centre in front.
    """
    view = tl.program_id(0)
    frame = frames_ptr + tl.load(frame_of_view_ptr + view) * _FRAME_FIELDS
    frame_width = tl.load(frame + _FRAME_WIDTH).to(tl.float64)
    frame_height = tl.load(frame + _FRAME_HEIGHT).to(tl.float64)
    width, height = view_width.to(tl.float64), view_height.to(tl.float64)
    m = matrices_ptr + view * 9
    a, b, c = tl.load(m), tl.load(m + 1), tl.load(m + 2)
    d, e, f = tl.load(m + 3), tl.load(m + 4), tl.load(m + 5)
    p, q, r = tl.load(m + 6), tl.load(m + 7), tl.load(m + 8)
    largest = tl.maximum(_largest(a, b, c), tl.maximum(_largest(d, e, f), _largest(p, q, r)))
    finite = (largest < _LARGEST) & (_largest(p, q, r) > 0)  # else w is never positive
    a, b, c = tl.where(finite, a, 0.0), tl.where(finite, b, 0.0), tl.where(finite, c, 0.0)
    d, e, f = tl.where(finite, d, 0.0), tl.where(finite, e, 0.0), tl.where(finite, f, 0.0)
    p, q, r = tl.where(finite, p, 0.0), tl.where(finite, q, 0.0), tl.where(finite, r, -1.0)
    if ORIENT:
        at_center = p * ((width - 1) / 2) + q * ((height - 1) / 2) + r
        sign = tl.where(finite & (at_center < 0), -1.0, 1.0)
        a, b, c = a * sign, b * sign, c * sign
        d, e, f = d * sign, e * sign, f * sign
        p, q, r = p * sign, q * sign, r * sign

    lane = tl.arange(0, LANES)
    x, y, count = _visible(
        a, b, c, d, e, f, p, q, r, width, height, frame_width, frame_height, 0.0
    )
    crossed = x * _following(y, lane, count) - _following(x, lane, count) * y
    area = 0.5 * tl.abs(tl.sum(tl.where(lane < count, crossed, 0.0), 0))
    valid = tl.minimum(1.0, area / (width * height))

    x, y, count = _visible(
        a, b, c, d, e, f, p, q, r, width, height, frame_width, frame_height, 1.0
    )
    exact = exact_ptr + view * _EXACT
    tl.store(exact + 0, a)
    tl.store(exact + 1, b)
    tl.store(exact + 2, c)
    tl.store(exact + 3, d)
    tl.store(exact + 4, e)
    tl.store(exact + 5, f)
    tl.store(exact + 6, p)
    tl.store(exact + 7, q)
    tl.store(exact + 8, r)
    tl.store(exact + 9, valid)
    shows = count > 0
    # Whatever the transform of an unseen view holds, no kernel computes with it.
    a, b, c = tl.where(shows, a, 1.0), tl.where(shows, b, 0.0), tl.where(shows, c, 0.0)
    d, e, f = tl.where(shows, d, 0.0), tl.where(shows, e, 1.0), tl.where(shows, f, 0.0)
    p, q, r = tl.where(shows, p, 0.0), tl.where(shows, q, 0.0), tl.where(shows, r, 1.0)
    used = lane < count
    number = tl.maximum(count, 1).to(tl.float64)
    w = tl.where(used, p * x + q * y + r, 1.0)
    frame_x = (a * x + b * y + c) / w
    frame_y = (d * x + e * y + f) / w
    low_x = tl.where(shows, tl.min(tl.where(used, frame_x, float("inf")), 0), 0.0) + 0.5
    high_x = tl.where(shows, tl.max(tl.where(used, frame_x, float("-inf")), 0), 0.0) + 0.5
    low_y = tl.where(shows, tl.min(tl.where(used, frame_y, float("inf")), 0), 0.0) + 0.5
    high_y = tl.where(shows, tl.max(tl.where(used, frame_y, float("-inf")), 0), 0.0) + 0.5
    middle_x = tl.sum(tl.where(used, x, 0.0), 0) / number
    middle_y = tl.sum(tl.where(used, y, 0.0), 0) / number
    middle_w = tl.where(shows, p * middle_x + q * middle_y + r, 1.0)
    seen_x = (a * middle_x + b * middle_y + c) / middle_w
    seen_y = (d * middle_x + e * middle_y + f) / middle_w
    step_x, step_y = 1.0, 1.0
    if ANTIALIAS:
        ax, bx = (a - seen_x * p) / middle_w, (b - seen_x * q) / middle_w
        ay, by = (d - seen_y * p) / middle_w, (e - seen_y * q) / middle_w
        step_x = tl.sqrt(ax * ax + bx * bx)
        step_y = tl.sqrt(ay * ay + by * by)
    left, pixels_x, cells_x = _cells(low_x, high_x, step_x, frame_width)
    top, pixels_y, cells_y = _cells(low_y, high_y, step_y, frame_height)

    # Cells from frame pixels: x_cell = scale · x + shift.
    scale_x, scale_y = cells_x / pixels_x, cells_y / pixels_y
    shift_x = scale_x * (0.5 - left) - 0.5
    shift_y = scale_y * (0.5 - top) - 0.5
    # An even origin, so that ties round to even as they do without one.
    origin_x = 2.0 * _rint((scale_x * seen_x + shift_x) / 2)
    origin_y = 2.0 * _rint((scale_y * seen_y + shift_y) / 2)
    view_x, view_y = _rint(middle_x), _rint(middle_y)
    size_x, size_y = pixels_x / cells_x, pixels_y / cells_y
    rx, ry = shift_x - origin_x, shift_y - origin_y
    x0, x1, x2 = scale_x * a + rx * p, scale_x * b + rx * q, scale_x * c + rx * r
    y0, y1, y2 = scale_y * d + ry * p, scale_y * e + ry * q, scale_y * f + ry * r

    floats = floats_ptr + view * _FLOATS
    tl.store(floats + 0, (x0 / middle_w).to(tl.float32))
    tl.store(floats + 1, (x1 / middle_w).to(tl.float32))
    tl.store(floats + 2, ((x0 * view_x + x1 * view_y + x2) / middle_w).to(tl.float32))
    tl.store(floats + 3, (y0 / middle_w).to(tl.float32))
    tl.store(floats + 4, (y1 / middle_w).to(tl.float32))
    tl.store(floats + 5, ((y0 * view_x + y1 * view_y + y2) / middle_w).to(tl.float32))
    tl.store(floats + 6, (p / middle_w).to(tl.float32))
    tl.store(floats + 7, (q / middle_w).to(tl.float32))
    tl.store(floats + 8, ((p * view_x + q * view_y + r) / middle_w).to(tl.float32))
    tl.store(floats + 9, size_x.to(tl.float32))
    tl.store(floats + 10, size_y.to(tl.float32))
    tl.store(floats + 11, (left + origin_x * size_x).to(tl.float32))
    tl.store(floats + 12, (top + origin_y * size_y).to(tl.float32))
    ints = ints_ptr + view * _INTS
    tl.store(ints + 0, view_x.to(tl.int32))
    tl.store(ints + 1, view_y.to(tl.int32))
    tl.store(ints + 2, (-origin_x).to(tl.int32))
    tl.store(ints + 3, (cells_x - origin_x).to(tl.int32))
    tl.store(ints + 4, (-origin_y).to(tl.int32))
    tl.store(ints + 5, (cells_y - origin_y).to(tl.int32))
    tl.store(ints + 6, shows.to(tl.int32))
    tl.store(ints + 7, ((cells_x != pixels_x) | (cells_y != pixels_y)).to(tl.int32))
    tl.store(exact + 10, scale_x)
    tl.store(exact + 11, rx)
    tl.store(exact + 12, scale_y)
    tl.store(exact + 13, ry)
    tl.store(exact + 14, view_x)
    tl.store(exact + 15, view_y)
    tl.store(exact + 16, middle_w)
    tl.store(exact + 17, left)
    tl.store(exact + 18, top)
    tl.store(exact + 19, shows.to(tl.float64))
