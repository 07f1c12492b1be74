# SPDX-License-Identifier: Apache-2.0
"""Scenes: two different digits and pieces of others on a black ground of 72×72 pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.studies.data.digits import Split, load_digits

SIDE_PX = 72
DIGIT_PX = 28
_PIECE_PX, _PIECES = 8, 8
# Centres of the two digits are at least this far apart, so that neither hides the other.
_APART_PX = 24


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures and what is in them.

    Attributes:
        images: float32 N×1×72×72, 0 to 1.
        digits: int64 N×2, different ones.
        centers: float32 N×2×2, (x, y) of the digits in normalised axes.
    """

    images: Tensor
    digits: Tensor
    centers: Tensor


class SceneMaker:
    """Draws scenes from one split of MNIST.

    Args:
        split: That the digits and the pieces are from.
    """

    def __init__(self, split: Split) -> None:
        digits = load_digits("mnist", split)
        self._images, self._labels = digits.images, digits.labels

    def draw(self, count: int, generator: torch.Generator) -> Scenes:
        """Draw scenes."""
        seed = int(torch.randint(2**62, (1,), generator=generator))
        rng = np.random.default_rng(seed)
        canvas = np.zeros((count, SIDE_PX, SIDE_PX), dtype=np.uint8)
        digits = np.empty((count, 2), dtype=np.int64)
        corners = np.empty((count, 2, 2), dtype=np.int64)
        for scene in range(count):
            chosen = self._two_digits(rng)
            digits[scene] = self._labels[chosen]
            corners[scene] = _two_corners(rng)
            self._add_pieces(canvas[scene], rng)
            for image, corner in zip(self._images[chosen], corners[scene], strict=True):
                _paste(canvas[scene], image, corner)
        centers = (2 * corners + DIGIT_PX) / SIDE_PX - 1
        return Scenes(
            torch.from_numpy(canvas).unsqueeze(1).float() / 255,
            torch.from_numpy(digits),
            torch.from_numpy(centers).float(),
        )

    def _two_digits(self, rng: np.random.Generator) -> NDArray[np.int64]:
        while True:
            chosen = rng.integers(len(self._labels), size=2)
            if self._labels[chosen[0]] != self._labels[chosen[1]]:
                return chosen

    def _add_pieces(self, canvas: NDArray[np.uint8], rng: np.random.Generator) -> None:
        chosen = rng.integers(len(self._labels), size=_PIECES)
        # From the middle of a digit, where there is ink.
        inside = rng.integers(6, DIGIT_PX - _PIECE_PX - 5, size=(_PIECES, 2))
        corners = rng.integers(SIDE_PX - _PIECE_PX + 1, size=(_PIECES, 2))
        for image, (x, y), corner in zip(self._images[chosen], inside, corners, strict=True):
            _paste(canvas, image[y : y + _PIECE_PX, x : x + _PIECE_PX], corner)


def _two_corners(rng: np.random.Generator) -> NDArray[np.int64]:
    while True:
        corners = rng.integers(SIDE_PX - DIGIT_PX + 1, size=(2, 2))
        if np.abs(corners[0] - corners[1]).max() >= _APART_PX:
            return corners


def _paste(canvas: NDArray[np.uint8], image: NDArray[np.uint8], corner: NDArray[np.int64]) -> None:
    height, width = image.shape
    place = canvas[corner[1] : corner[1] + height, corner[0] : corner[0] + width]
    np.maximum(place, image, out=place)
