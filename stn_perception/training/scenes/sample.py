# SPDX-License-Identifier: Apache-2.0
"""A picture with one quadrilateral whose corners are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelledSample:
    """A gray picture, the corners of the object in it, and the box a detector would give.

    Attributes:
        pixels: uint8, H×W.
        corners: float64, 4×2, pixels with (0, 0) the centre of the top-left pixel, clockwise on
            the screen. A quadrilateral has no up, so where the list starts has no meaning.
        box: float64, 4: centre x, centre y, width, height in pixels: the axis-aligned bounding
            box of the corners, as imprecise as a detector's and without any margin.
        kind: what the object looks like, for tables.
    """

    pixels: NDArray[np.uint8]
    corners: NDArray[np.float64]
    box: NDArray[np.float64]
    kind: str
