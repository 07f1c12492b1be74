# SPDX-License-Identifier: Apache-2.0
"""Frames and the views to take of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.benchmarks.turned_views import smooth_picture, turned_views

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WarpCase:
    """One job.

    Attributes:
        name: For tables.
        frames: uint8 N×height×width×3: one frame for all views, or one a view.
        frame_from_view: V×3×3 in pixels, affine, so that every peer can do it.
        view_size: Width and height of each view.
        times_of_tensors: How many times as long torch and kornia should take at least.
    """

    name: str
    frames: Pixels
    frame_from_view: Matrix
    view_size: int
    times_of_tensors: float

    def frame_of(self, view: int) -> Pixels:
        """The frame that a view is taken from."""
        frame: Pixels = self.frames[view % len(self.frames)]
        return frame


def warp_cases(names: tuple[str, ...] | None = None, seed: int = 0) -> list[WarpCase]:
    """The cases by name, or all of them.

    Raises:
        ValueError: There is no case of a name.
    """
    known = {
        "1080p-8": lambda rng: _of_one_frame("1080p-8", (1920, 1080), 8, 1.0, rng),
        "4k-1": lambda rng: _of_one_frame("4k-1", (3840, 2160), 1, 2.0, rng),
        "crops-64": lambda rng: _of_crops("crops-64", 64, 224, 3.0, rng),
        "crops-256": lambda rng: _of_crops("crops-256", 256, 28, 1.5, rng),
    }
    chosen = names or tuple(known)
    for name in chosen:
        if name not in known:
            raise ValueError(f"case is {name!r}, expected one of {', '.join(known)}")
    return [known[name](np.random.default_rng(seed)) for name in chosen]


def _of_one_frame(
    name: str, size: tuple[int, int], views: int, scale: float, rng: np.random.Generator
) -> WarpCase:
    """Turned views of 224², each frame pixel per view pixel about ``scale``, somewhere inside."""
    frame = smooth_picture(*size, rng)
    centers = rng.uniform([0.3, 0.3], [0.7, 0.7], (views, 2)) * size
    scales = scale * rng.uniform(0.85, 1.15, views)
    transforms = turned_views(224, centers, scales, rng.uniform(-0.6, 0.6, views))
    return WarpCase(name, frame[None], transforms, 224, 5.0)


def _of_crops(
    name: str, count: int, size: int, times: float, rng: np.random.Generator
) -> WarpCase:
    """As a spatial transformer in a network's middle: each crop turned, scaled and shifted."""
    crops = np.stack([smooth_picture(size, size, rng) for _ in range(count)])
    centers = (size - 1) / 2 + rng.uniform(-0.1, 0.1, (count, 2)) * size
    scales, angles = rng.uniform(0.6, 1.1, count), rng.uniform(-0.6, 0.6, count)
    return WarpCase(name, crops, turned_views(size, centers, scales, angles), size, times)
