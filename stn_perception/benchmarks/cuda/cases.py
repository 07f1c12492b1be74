# SPDX-License-Identifier: Apache-2.0
"""Batches of views to sample on the device."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stn_perception.benchmarks.turned_views import smooth_picture, turned_views

Output = Literal["float32", "float16", "uint8"]
# Of a view against its place, in radians, and times its case's scale.
_LARGEST_TURN, _LARGEST_SCALE = 0.5, 1.1

Matrix = NDArray[np.float64]

BYTES: dict[Output, int] = {"float32": 4, "float16": 2, "uint8": 1}


@dataclass(frozen=True, eq=False)
class DeviceCase:
    """One job: three-channel views of frames that lie on the device.

    Attributes:
        name: For tables.
        frames: uint8 F×height×width×3.
        frame_of_view: N, which frame each view is of.
        frame_from_view: N×3×3 in pixels, affine, so that every peer can do it.
        size: Width and height of a view.
        output: Planes for a network, or uint8 views.
        is_large: Whether the batch is large enough to be held to the memory's speed.
    """

    name: str
    frames: NDArray[np.uint8]
    frame_of_view: NDArray[np.int32]
    frame_from_view: Matrix
    size: int
    output: Output
    is_large: bool

    @property
    def bytes_moved(self) -> int:
        """The frame's bytes under the views, once each, and the bytes written."""
        pixels = len(self.frame_from_view) * self.size**2
        read = float(np.abs(np.linalg.det(self.frame_from_view[:, :2, :2])).sum()) * self.size**2
        return round(3 * read) + 3 * pixels * BYTES[self.output]


def device_cases(views: int, seed: int = 0) -> list[DeviceCase]:
    """The cases, with ``views`` views in the large batches."""
    if views < 1:
        raise ValueError(f"views is {views}, expected at least 1")
    rng = np.random.default_rng(seed)
    wide = [
        _spread(f"{views} inputs float32", views, (3840, 2160), 224, 1.0, "float32", True, rng),
        _spread(f"{views} inputs float16", views, (3840, 2160), 224, 1.0, "float16", True, rng),
        _spread(f"{views} views uint8", views, (3840, 2160), 224, 1.0, "uint8", True, rng),
        _spread(f"{views} inputs, averaged", views, (3840, 2160), 224, 2.0, "float32", True, rng),
    ]
    small = [
        _spread("1080p, 8 views", 8, (1920, 1080), 224, 1.0, "uint8", False, rng),
        _spread("1080p, 8 inputs of 64", 8, (1920, 1080), 64, 3.0, "float32", False, rng),
    ]
    return wide + small


def _spread(
    name: str,
    views: int,
    frame_size: tuple[int, int],
    size: int,
    scale: float,
    output: Output,
    is_large: bool,
    rng: np.random.Generator,
) -> DeviceCase:
    """Turned views on a raster of places, as many frames as have room for them.

    Views lie in their frame and do not overlap, so that no cache makes the batch cheaper.
    """
    reach = size * scale * _LARGEST_SCALE * (math.cos(_LARGEST_TURN) + math.sin(_LARGEST_TURN))
    columns, rows = (max(1, math.floor(side / reach)) for side in frame_size)
    places = np.arange(views)
    cell = places % (columns * rows)
    centers = np.column_stack([cell % columns + 0.5, cell // columns + 0.5])
    centers = centers * [frame_size[0] / columns, frame_size[1] / rows] - 0.5
    angles = rng.uniform(-_LARGEST_TURN, _LARGEST_TURN, views)
    scales = scale * rng.uniform(2 - _LARGEST_SCALE, _LARGEST_SCALE, views)
    transforms = turned_views(size, centers, scales, angles)
    frame_of_view = (places // (columns * rows)).astype(np.int32)
    picture = smooth_picture(*frame_size, rng)
    numbers = range(int(frame_of_view[-1]) + 1)
    frames = np.stack([np.roll(picture, 97 * number, axis=1) for number in numbers])
    return DeviceCase(name, frames, frame_of_view, transforms, size, output, is_large)
