# SPDX-License-Identifier: Apache-2.0
"""Rows of views: coordinates of a whole row first, then one blend a pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray

from stn_perception.runtime.compiled.coordinates import (
    AT_THE_EDGE,
    OUTSIDE,
    at_the_edge,
    coordinates,
)
from stn_perception.runtime.compiled.jit import compiled, kept_on_disk, source_version
from stn_perception.runtime.compiled.sources import source_of
from stn_perception.runtime.compiled.vector_operations import (
    blend_to_bytes,
    blend_to_floats,
    floats_at,
    store_byte,
    weigh_to_bytes,
    weigh_to_floats,
)


def view_rows_of(channels: int) -> Callable[..., int]:
    """The compiled loop that writes uint8 rows of views from frames of so many channels."""
    version = source_version()

    @kept_on_disk
    def view_rows(
        frames: Any, transforms: Any, outputs: Any, size: Any, first: int, last: int
    ) -> int:
        """Rows first..last of all views, counted through one view after the other.

        Args:
            frames: N×4 int64: address, width, height, bytes per row.
            transforms: N×3×3 float64, frame_from_view.
            outputs: Address of the first view; they follow each other without gaps.
            size: Width, height, whether to average.
            first: Row to begin with
            last: and to end before.

        Returns:
            The version of its sources.
        """
        width, height, _ = size
        xs, ys = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
        offsets = np.empty(width, dtype=np.int32)
        row = first
        while row < last:
            part = _part_of_view(frames, transforms, size, channels, row, last)
            view, y, y_last, (held, source, near) = part
            address, row_bytes = source[0], source[1]
            for y_view in range(y, y_last):
                out = outputs + (view * height + y_view) * width * channels
                coordinates(near, y_view, width, source, channels, xs, ys, offsets)
                for column in range(width):
                    offset = offsets[column]
                    # Three channels are written as four bytes: never behind a row's last pixel,
                    # where another thread may have written.
                    if offset >= 0 and (channels != 3 or column < width - 1):
                        above = address + np.intp(offset)
                        blend_to_bytes(
                            channels, out, above, above + row_bytes, xs[column], ys[column]
                        )
                    elif offset == OUTSIDE:
                        for channel in range(channels):
                            store_byte(out + channel, np.uint8(0))
                    else:
                        x, y_at = xs[column], ys[column]
                        if offset >= 0:
                            x += np.float32(offset % row_bytes // channels)
                            y_at += np.float32(offset // row_bytes)
                        corner, steps, shares = at_the_edge(source, channels, x, y_at)
                        weigh_to_bytes(channels, out, corner, steps, shares)
                    out += channels
            # Numba frees what is not used again: averaged bytes must outlive their rows.
            row += y_last - y + 0 * len(held)
        return version

    return view_rows


def input_rows_of(channels: int) -> Callable[..., int]:
    """The compiled loop that writes float32 planes in [0, 1] from frames of so many channels."""
    version = source_version()

    @kept_on_disk
    def input_rows(
        frames: Any,
        transforms: Any,
        places: Any,
        weights: Any,
        outputs: Any,
        size: Any,
        first: int,
        last: int,
    ) -> int:
        """As ``view_rows``, with N×planes×height×width float32 at ``outputs``.

        Args:
            frames: N×4 int64: address, width, height, bytes per row.
            transforms: N×3×3 float64, frame_from_crop.
            places: N×planes×3 int64: the channels that make each plane, added in this order.
            weights: N×planes×3 float32: what each of them gives.
            outputs: Address of the first plane.
            size: Width, height, whether to average.
            first: Row to begin with
            last: and to end before.

        Returns:
            The version of its sources.
        """
        width, height, _ = size
        planes = weights.shape[1]
        xs, ys = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
        offsets = np.empty(width, dtype=np.int32)
        values = np.empty(width * channels, dtype=np.float32)
        row = first
        while row < last:
            part = _part_of_view(frames, transforms, size, channels, row, last)
            view, y, y_last, (held, source, near) = part
            address, row_bytes = source[0], source[1]
            for y_view in range(y, y_last):
                coordinates(near, y_view, width, source, channels, xs, ys, offsets)
                pixel = np.intp(values.ctypes.data)
                for column in range(width):
                    offset = offsets[column]
                    if offset >= 0:
                        above = address + np.intp(offset)
                        blend_to_floats(
                            channels, pixel, above, above + row_bytes, xs[column], ys[column]
                        )
                    elif offset == AT_THE_EDGE:
                        corner, steps, shares = at_the_edge(
                            source, channels, xs[column], ys[column]
                        )
                        weigh_to_floats(channels, pixel, corner, steps, shares)
                    else:
                        values[column * channels : (column + 1) * channels] = 0
                    pixel += channels * 4
                for plane in range(planes):
                    out = outputs + (((view * planes + plane) * height + y_view) * width) * 4
                    line = carray(floats_at(out), (width,))
                    for column in range(width):
                        total = np.float32(0.0)
                        for term in range(3):
                            value = values[column * channels + places[view, plane, term]]
                            total += weights[view, plane, term] * value
                        line[column] = total
            # Numba frees what is not used again: averaged bytes must outlive their rows.
            row += y_last - y + 0 * len(held)
        return version

    return input_rows


@compiled
def _part_of_view(
    frames: Any, transforms: Any, size: Any, channels: int, first: int, last: int
) -> Any:
    """The first of rows first..last of all views, as far as they are one view's.

    Args:
        frames: N×4 int64: address, width, height, bytes per row.
        transforms: N×3×3 float64, frame_from_view.
        size: Width, height, whether to average.
        channels: The frames'.
        first: Row to begin with
        last: and to end before, counted through one view after the other.

    Returns:
        The view; its row to begin with and the one to end before; what ``source_of`` says of them.
    """
    height = size[1]
    view = first // height
    y, y_last = first - view * height, min(last, (view + 1) * height) - view * height
    frame = (frames[view, 0], frames[view, 1], frames[view, 2], frames[view, 3], channels)
    return view, y, y_last, source_of(frame, transforms[view], size, y, y_last)
