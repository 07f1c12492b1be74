# SPDX-License-Identifier: Apache-2.0
"""Pictures of many sizes in one block of memory, which forked workers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PackedPictures:
    """Many pictures; what is known of each follows in the fields of a subclass.

    Attributes:
        pixels: uint8, all pictures one after another.
        starts: int64, N: where each picture begins.
        shapes: int32, N×2 rows and columns of each, or N×3 with channels.
    """

    pixels: NDArray[np.uint8]
    starts: NDArray[np.int64]
    shapes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.shapes)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Return one picture, H×W or H×W×C, without copying it."""
        shape = self.shapes[index]
        start = self.starts[index]
        return self.pixels[start : start + shape.prod(dtype=np.int64)].reshape(shape)


def packed(pictures: Sequence[NDArray[np.uint8]]) -> PackedPictures:
    """Put pictures, all H×W or all H×W×C, into one block of memory."""
    shapes = np.array([picture.shape for picture in pictures], np.int32)
    pixels = np.concatenate([picture.ravel() for picture in pictures])
    return PackedPictures(pixels, starts_of(shapes), shapes)


def starts_of(shapes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where each picture begins, N, when they stand one after another."""
    ends = np.cumsum(shapes.prod(axis=1, dtype=np.int64))
    return np.concatenate([np.zeros(1, np.int64), ends[:-1]])
