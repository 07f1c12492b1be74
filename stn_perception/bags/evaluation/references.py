# SPDX-License-Identifier: Apache-2.0
"""How an object looks when it is canonical: pictures that views are compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.errors import BagError
from stn_perception.runtime.gray import gray_pixels
from stn_perception.runtime.results import CanonicalObject

Gray = NDArray[np.uint8]
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


def read_references(folder: Path) -> dict[str, Gray]:
    """Gray pictures by name: an object's id or a class, without the file's suffix.

    Raises:
        BagError: The folder holds no picture, or one cannot be read.
    """
    files = sorted(f for f in folder.glob("*") if f.suffix.lower() in _SUFFIXES)
    if not files:
        raise BagError(f"{folder} holds no reference pictures, expected {', '.join(_SUFFIXES)}.")
    references = {}
    for file in files:
        picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise BagError(f"the reference picture {file} cannot be read.")
        references[file.stem] = np.asarray(picture, dtype=np.uint8)
    return references


def likeness(
    item: CanonicalObject, references: Mapping[str, Gray], symmetry: int
) -> tuple[float, float] | None:
    """PSNR in dB and SSIM of a view against its object's or class's reference, gray.

    The reference is resized to the view. Of the quarter turns that the model leaves open, the
    one with the best PSNR counts.

    Args:
        item: An object with its view's pixels.
        references: By object id or class.
        symmetry: Number of quarter-turn poses that look canonical: 1, 2 or 4.

    Returns:
        None where there is no reference or no view. An exact copy has 100 dB.
    """
    from skimage.metrics import structural_similarity

    reference = references.get(item.region.id)
    if reference is None:
        reference = references.get(item.class_id)
    if reference is None or item.view is None:
        return None
    view = gray_pixels(item.view, item.color)
    height, width = view.shape
    resized = cv2.resize(reference, (width, height), interpolation=cv2.INTER_AREA)
    target = np.asarray(resized, dtype=np.uint8)
    turns = [turn for turn in range(0, 4, 4 // symmetry) if turn % 2 == 0 or width == height]
    best = max((np.rot90(view, turn) for turn in turns), key=lambda turned: _psnr(turned, target))
    return _psnr(best, target), float(structural_similarity(best, target, data_range=255))


def _psnr(view: NDArray[np.uint8], target: NDArray[np.uint8]) -> float:
    error = float(np.mean((view.astype(np.float64) - target) ** 2))
    return 100.0 if error == 0 else min(100.0, 10 * math.log10(255**2 / error))
