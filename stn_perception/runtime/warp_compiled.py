# SPDX-License-Identifier: Apache-2.0
"""The quickest warping back end for CPUs: compiled loops over the frames' own bytes.

Several views of several frames share one call; nothing of a frame is converted or copied, no grid
of coordinates is larger than one row, and averaging reads just the cells that a view covers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.messages.encodings import GRAY_SHARES, RGB_PLACES, ColorOrder
from stn_perception.runtime.compiled.rows import input_rows_of, view_rows_of
from stn_perception.runtime.compiled.threads import in_parts
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import Interpolation
from stn_perception.runtime.warp_backend import InputSample, ViewSample, WarpBackend
from stn_perception.runtime.warp_opencv import OpenCvBackend

# To wake a second thread and wait for it costs as much as this many view pixels.
_PIXELS_WORTH_A_THREAD = 65_536

Item = TypeVar("Item", InputSample, ViewSample)


class CompiledBackend(WarpBackend):
    """``WarpBackend`` by compiled code; see there for what the methods promise.

    Views by nearest or cubic interpolation are left to OpenCV. The code for gray and for
    three-channel frames is made, or read from disk where it was made before, with the first
    object of this class in a process; that for four channels when it is first needed.
    """

    name = "compiled"

    def __init__(self) -> None:
        self._other = OpenCvBackend()
        usual: tuple[ColorOrder, ...] = ("gray", "rgb")
        for color in usual:
            shape = (4, 4) if color == "gray" else (4, 4, 3)
            frame = Frame(np.zeros(shape, dtype=np.uint8), color)
            self.warp_view(frame, np.eye(3), 4, 4)
            self.sample_inputs([InputSample(frame, np.eye(3))], 4, 4, 1)

    def sample_inputs(
        self, samples: Sequence[InputSample], width: int, height: int, channels: int
    ) -> torch.Tensor:
        """Network inputs, not rounded after interpolation."""
        inputs = np.empty((len(samples), channels, height, width), dtype=np.float32)
        for count, places in _by_channels(samples).items():
            chosen = [samples[place] for place in places]
            recipes = [_plane_recipe(s.frame.color, channels) for s in chosen]
            part = inputs if len(places) == len(samples) else np.empty_like(inputs[: len(places)])
            _run(
                partial(
                    _input_rows(count),
                    _table(chosen),
                    np.array([s.frame_from_crop for s in chosen], dtype=np.float64),
                    np.array([places for places, _ in recipes]),
                    np.array([weights for _, weights in recipes]),
                    part.ctypes.data,
                    (width, height, True),
                ),
                len(chosen) * height,
                width,
            )
            if part is not inputs:
                inputs[places] = part
        return torch.from_numpy(inputs)

    def warp_views(
        self,
        samples: Sequence[ViewSample],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> list[NDArray[np.uint8]]:
        """All in one call; views of frames with equally many channels share an array."""
        if interpolation != "linear":
            return self._other.warp_views(samples, width, height, interpolation, antialias)
        views: list[NDArray[np.uint8]] = [np.empty(0, dtype=np.uint8)] * len(samples)
        for count, places in _by_channels(samples).items():
            chosen = [samples[place] for place in places]
            shape = (height, width) if count == 1 else (height, width, count)
            part = np.empty((len(chosen), *shape), dtype=np.uint8)
            _run(
                partial(
                    _view_rows(count),
                    _table(chosen),
                    np.array([s.frame_from_view for s in chosen], dtype=np.float64),
                    part.ctypes.data,
                    (width, height, antialias),
                ),
                len(chosen) * height,
                width,
            )
            for place, view in zip(places, part, strict=True):
                views[place] = view
        return views


def _run(rows: Callable[[int, int], None], total: int, width: int) -> None:
    threads = min(torch.get_num_threads(), 1 + total * width // _PIXELS_WORTH_A_THREAD)
    in_parts(rows, total, threads)


def _by_channels(samples: Sequence[Item]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for place, sample in enumerate(samples):
        places.setdefault(sample.frame.channels, []).append(place)
    return places


def _table(samples: Sequence[Item]) -> NDArray[np.int64]:
    return np.array([sample.frame.layout.numbers for sample in samples], dtype=np.int64)


@cache
def _plane_recipe(color: ColorOrder, planes: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Channels and their shares, planes×3: RGB or gray planes in [0, 1] of a colour order.

    Always in the order red, green, blue, so that every colour order gives the same bits.
    """
    order = RGB_PLACES[color]
    shares = np.zeros((planes, 3))
    if color == "gray":
        shares[:, 0] = 1.0
    elif planes == 1:
        shares[0] = GRAY_SHARES
    else:
        shares[:] = np.eye(3)
    return np.array([order] * planes, dtype=np.int64), (shares / 255).astype(np.float32)


@cache
def _view_rows(channels: int) -> Callable[..., Any]:
    return view_rows_of(channels)


@cache
def _input_rows(channels: int) -> Callable[..., Any]:
    return input_rows_of(channels)
