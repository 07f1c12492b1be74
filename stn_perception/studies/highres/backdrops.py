# SPDX-License-Identifier: Apache-2.0
"""4K pictures without a sign: photographs side by side, other ones for every split.

No photograph of 4K comes with a package, so a backdrop is twelve pieces of smaller ones, each
enlarged two to four times. Their edges and textures are what a sign must be told from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.digits import Split
from stn_perception.training.scenes.skimage_photographs import read_photograph

HEIGHT_PX, WIDTH_PX = 2160, 3840
# By how much frames are shrunk: each divides both sides.
FACTORS = (1, 4, 16)
_ROWS, _COLUMNS = 3, 4
_NOISE = 3.0
_COUNTS: Mapping[Split, int] = {"train": 8, "validation": 4, "test": 8}
_SEEDS: Mapping[Split, int] = {"train": 41, "validation": 42, "test": 43}
_PHOTOGRAPHS: Mapping[Split, tuple[str, ...]] = {
    "train": (
        "astronaut.png",
        "chelsea.png",
        "motorcycle_left.png",
        "gravel.png",
        "coins.png",
        "page.png",
    ),
    "validation": ("coffee.png", "brick.png", "clock_motion.png"),
    "test": ("rocket.jpg", "camera.png", "retina.jpg", "grass.png", "text.png"),
}

Gray = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Backdrop:
    """One 4K picture.

    Attributes:
        levels: By how much it is shrunk: its pixels, uint8.
    """

    levels: Mapping[int, Gray]


@lru_cache(maxsize=3)
def backdrops(split: Split) -> tuple[Backdrop, ...]:
    """Return a split's backdrops, always alike."""
    rng = np.random.default_rng(_SEEDS[split])
    photographs = [read_photograph(name, cv2.IMREAD_GRAYSCALE) for name in _PHOTOGRAPHS[split]]
    return tuple(_mosaic(photographs, rng) for _ in range(_COUNTS[split]))


def shrunk(pixels: Gray, factor: int) -> Gray:
    """Return the means over squares of factor×factor pixels; of large squares, over four rows.

    A frame lies in memory, not in the cache: what is not read costs nothing.
    """
    if factor == 1:
        return pixels
    height, width = pixels.shape
    size = (width // factor, height // factor)
    step = factor // 4
    return np.asarray(
        cv2.resize(pixels[step // 2 :: step], size, interpolation=cv2.INTER_AREA), np.uint8
    )


def _mosaic(photographs: list[Gray], rng: np.random.Generator) -> Backdrop:
    height, width = HEIGHT_PX // _ROWS, WIDTH_PX // _COLUMNS
    rows = [
        np.hstack([_piece(photographs, height, width, rng) for _ in range(_COLUMNS)])
        for _ in range(_ROWS)
    ]
    picture = np.vstack(rows) + rng.normal(0.0, _NOISE, (HEIGHT_PX, WIDTH_PX))
    pixels = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    return Backdrop({factor: shrunk(pixels, factor) for factor in FACTORS})


def _piece(
    photographs: list[Gray], height: int, width: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    photograph = photographs[rng.integers(len(photographs))]
    least = max(2.0, height / photograph.shape[0], width / photograph.shape[1])
    scale = rng.uniform(least, max(least, 4.0))
    rows, columns = int(height / scale), int(width / scale)
    top = rng.integers(photograph.shape[0] - rows + 1)
    left = rng.integers(photograph.shape[1] - columns + 1)
    cut = photograph[top : top + rows, left : left + columns]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    enlarged = cv2.resize(cut, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32)
