# SPDX-License-Identifier: Apache-2.0
"""A labelled picture of objects, and one object of it as a sample to score on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop.oriented import OrientedBox, Points


@dataclass(frozen=True)
class Labelled:
    """One object in a picture.

    Attributes:
        outline: N×2 in pixels, the convex outline of all of it.
        seen: M×2 in pixels, the convex outline of what is not hidden.
        hidden: share of its silhouette's area that other objects or the frame hide.
        kind: what it is.
    """

    outline: Points
    seen: Points
    hidden: float
    kind: str


@dataclass(frozen=True)
class Scene:
    """A picture with several labelled objects.

    Attributes:
        pixels: uint8 H×W.
        objects: those that show enough to be found.
        owner: int16 H×W: which of the objects each pixel shows, -1 for none.
    """

    pixels: NDArray[np.uint8]
    objects: tuple[Labelled, ...]
    owner: NDArray[np.int16]


@dataclass(frozen=True)
class BoxSample:
    """One object to score on.

    Attributes:
        pixels: uint8 H×W, the whole picture.
        truth: its oriented box in pixels.
        box: the detection: centre x, centre y, width, height in pixels.
        hidden: share of the object that does not show; 0 where nobody knows.
        kind: what it is.
        mask: bool H×W, the pixels that show it, or None.
    """

    pixels: NDArray[np.uint8]
    truth: OrientedBox
    box: NDArray[np.float64]
    hidden: float
    kind: str
    mask: NDArray[np.bool_] | None = None
