# SPDX-License-Identifier: Apache-2.0
"""What is true in a frame, and what a source of truth is asked."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import FloatArray, PinholeIntrinsics, allowed_shifts
from stn_perception.geometry.arrays import as_corners


@dataclass(frozen=True, eq=False)
class TrueObject:
    """An object as it truly lies in a frame.

    Attributes:
        id: Its name; empty where the source gives none.
        class_id: Its class; empty where the source gives none.
        corners: 4×2 pixels in pixel-centre coordinates: top-left, top-right, bottom-right,
            bottom-left of the upright object.
        symmetry: By which quarter turns the object looks the same: 1 (none), 2 or 4.

    Raises:
        ValueError: Corners of another shape or not finite, or another symmetry.
    """

    id: str
    class_id: str
    corners: FloatArray
    symmetry: int = 1

    def __post_init__(self) -> None:
        corners = as_corners(self.corners, f"the corners of '{self.id}'").copy()
        if not np.isfinite(corners).all():
            raise ValueError(f"the corners of '{self.id}' hold NaN or infinity")
        allowed_shifts(self.symmetry)
        corners.flags.writeable = False
        object.__setattr__(self, "corners", corners)
        # One object for one name: so equal truths are equal bytes when they are pickled.
        object.__setattr__(self, "id", sys.intern(str(self.id)))
        object.__setattr__(self, "class_id", sys.intern(str(self.class_id)))


@dataclass(frozen=True, eq=False)
class SeenFrame:
    """A frame that the truth is wanted of.

    Attributes:
        camera: The camera's name.
        stamp_ns: The image's stamp.
        frame_id: The image's frame; empty where not known.
        width: Of the image, pixels.
        height: Of the image, pixels.
        gray: uint8 H×W, or None where the source needs no pixels.
        intrinsics: Of the rectified image, or None where not calibrated.
    """

    camera: str
    stamp_ns: int
    frame_id: str
    width: int
    height: int
    gray: NDArray[np.uint8] | None = None
    intrinsics: PinholeIntrinsics | None = None


class FrameTruth(Protocol):
    """The truth about one camera of one bag; it can be pickled."""

    @property
    def needs_pixels(self) -> bool:
        """Whether ``objects`` looks at ``SeenFrame.gray``."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What of the source could not be used, for the user; empty where all could."""

    def objects(self, seen: SeenFrame) -> tuple[TrueObject, ...]:
        """The true objects of a frame; none where nothing is known about it."""

    def part(self, first_ns: int, last_ns: int) -> FrameTruth:
        """The truth about the frames with stamps from ``first_ns`` to ``last_ns``, both with."""


@dataclass(frozen=True)
class NoTruth:
    """Nothing is known about any frame."""

    needs_pixels: bool = False
    sentences: tuple[str, ...] = ()

    def objects(self, seen: SeenFrame) -> tuple[TrueObject, ...]:
        """None, of any frame."""
        return ()

    def part(self, first_ns: int, last_ns: int) -> NoTruth:
        """The same."""
        return self
