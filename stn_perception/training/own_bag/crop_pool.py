# SPDX-License-Identifier: Apache-2.0
"""Crops of a recording in memory, each with enough around it to be turned and shifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import AxisAlignedBox, OrientedBox, frame_from_crop
from stn_perception.geometry import normalized_from_pixel as normalized
from stn_perception.training.crops import cut

Box = AxisAlignedBox | OrientedBox
Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Patch:
    """One object with its surroundings.

    Attributes:
        pixels: uint8 gray, K×K.
        half_size: 2: half of the box's width and height, in half sides of the patch.
        stamp_ns: of its frame.
        object_id: of its detection.
        class_id: of its detection.
    """

    pixels: Picture
    half_size: NDArray[np.float64]
    stamp_ns: int
    object_id: str
    class_id: str


@dataclass(frozen=True, eq=False)
class CropPool:
    """All patches of a recording.

    Attributes:
        pixels: uint8, N×K×K.
        half_sizes: float64, N×2, as in ``Patch``.
        stamps_ns: int64, N.
        object_ids: N.
        class_index: int64, N: place in ``class_names``; -1 without a class.
        class_names: those that are told apart.
    """

    pixels: NDArray[np.uint8]
    half_sizes: NDArray[np.float64]
    stamps_ns: NDArray[np.int64]
    object_ids: tuple[str, ...]
    class_index: NDArray[np.int64]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pixels)

    def subset(self, indices: NDArray[np.int64]) -> CropPool:
        """Return some of the patches; the class names stay."""
        return CropPool(
            pixels=self.pixels[indices],
            half_sizes=self.half_sizes[indices],
            stamps_ns=self.stamps_ns[indices],
            object_ids=tuple(self.object_ids[i] for i in indices),
            class_index=self.class_index[indices],
            class_names=self.class_names,
        )


def cut_patch(
    picture: Picture, box: Box, side_factor: float, size_px: int
) -> tuple[Picture, NDArray[np.float64]]:
    """Cut a square about a box.

    Args:
        picture: uint8 gray, H×W.
        box: in pixels of the picture; an oriented one gives a turned patch.
        side_factor: side of the patch in the box's longer sides.
        size_px: side of the patch in its own pixels.

    Returns:
        uint8, ``size_px`` × ``size_px``, black beyond the frame; the box's half width and height
        in half sides of the patch.
    """
    matrix = frame_from_crop(box, side_factor, size_px, size_px, "square")
    frame_from_normalized = matrix @ np.linalg.inv(normalized(size_px, size_px))
    longer = max(box.width, box.height)
    half_size = np.array([box.width, box.height]) / (longer * side_factor)
    return cut(picture, frame_from_normalized, size_px), half_size


def pool_of(patches: Sequence[Patch], class_names: tuple[str, ...] = ()) -> CropPool:
    """Put patches into one block of memory; other classes than the named ones count as none."""
    place = {name: index for index, name in enumerate(class_names)}
    return CropPool(
        pixels=np.stack([patch.pixels for patch in patches]),
        half_sizes=np.stack([patch.half_size for patch in patches]),
        stamps_ns=np.array([patch.stamp_ns for patch in patches], np.int64),
        object_ids=tuple(patch.object_id for patch in patches),
        class_index=np.array([place.get(patch.class_id, -1) for patch in patches], np.int64),
        class_names=class_names,
    )
