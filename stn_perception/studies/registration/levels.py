# SPDX-License-Identifier: Apache-2.0
"""A pair of pictures at falling coarseness, all on the same square, so that theta fits each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_COARSEST = 8


@dataclass(frozen=True, eq=False)
class Level:
    """One size of a pair.

    Attributes:
        view: What the view shall look like, 1×1×s×s float64, grey levels.
        source: What it is sampled from, 1×1×s×s.
        view_mask: 1×1×s×s, where the view is a picture and no padding.
        low_px: First (x, y) of the source that is picture.
        high_px: Last (x, y) of the source that is picture.
        is_finest: Whether this is the pictures' own resolution.
    """

    view: Tensor
    source: Tensor
    view_mask: Tensor
    low_px: Tensor
    high_px: Tensor
    is_finest: bool

    def inside(self, points: Tensor) -> Tensor:
        """Which points (1×h×w×2, source pixels) show the source's own pixels, 1×1×h×w."""
        return ((points >= self.low_px) & (points <= self.high_px)).all(dim=3).unsqueeze(1)


@dataclass(frozen=True)
class Square:
    """Where a picture of w×h lies on the square that it is padded to.

    A transform of the square in normalised axes is one of the picture in pixels, whatever the
    picture's form; and a side that halves three times keeps theta the same on every level.
    """

    side: int
    left: int
    top: int
    width: int
    height: int

    @classmethod
    def around(cls, height: int, width: int) -> Square:
        """The least square that halves down to the coarsest level."""
        side = -(-max(height, width) // _COARSEST) * _COARSEST
        return cls(side, (side - width) // 2, (side - height) // 2, width, height)


def pair_levels(
    view: NDArray[np.float64],
    source: NDArray[np.float64],
    blur_px: float,
    factors: tuple[int, ...] = (8, 4, 2, 1),
) -> list[Level]:
    """Return the levels of a pair, coarsest first.

    Args:
        view: H×W grey levels.
        source: H×W, the same size.
        blur_px: Standard deviation of the Gaussian that both are smoothed by, at every level in
            its own pixels; what interpolation makes of the highest frequencies is no picture.
        factors: How many pixels of the picture are one of the level, each a divisor of 8.
    """
    square = Square.around(*view.shape)
    return [_level(view, source, square, blur_px, factor) for factor in factors]


def _level(
    view: NDArray[np.float64],
    source: NDArray[np.float64],
    square: Square,
    blur_px: float,
    factor: int,
) -> Level:
    mask = np.zeros((square.side, square.side), bool)
    mask[square.top : square.top + square.height, square.left : square.left + square.width] = True
    small = mask.reshape(square.side // factor, factor, -1, factor).all(axis=(1, 3))
    rows, columns = np.nonzero(small)
    return Level(
        _tensor(_smaller(view, square, blur_px, factor)),
        _tensor(_smaller(source, square, blur_px, factor)),
        torch.from_numpy(small)[None, None],
        torch.tensor([columns.min(), rows.min()], dtype=torch.float64),
        torch.tensor([columns.max(), rows.max()], dtype=torch.float64),
        factor == 1,
    )


def _smaller(
    picture: NDArray[np.float64], square: Square, blur_px: float, factor: int
) -> NDArray[np.float64]:
    below = square.side - square.height - square.top
    right = square.side - square.width - square.left
    padded = np.pad(picture, ((square.top, below), (square.left, right)), mode="edge")
    if factor > 1:
        cells = padded.reshape(square.side // factor, factor, -1, factor)
        padded = cells.mean(axis=(1, 3))
    if blur_px > 0:
        blurred = cv2.GaussianBlur(padded, (0, 0), blur_px, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(blurred, np.float64)
    return padded


def _tensor(picture: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture))[None, None]
