# SPDX-License-Identifier: Apache-2.0
"""Oriented boxes by classical means: moments and minimum-area rectangles of masks."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop.measuring import CROP_MARGIN
from stn_perception.training.tabletop.oriented import (
    OrientedBox,
    box_along,
    oriented_box,
    outline_of_mask,
)
from stn_perception.training.tabletop.sample import BoxSample

Mask = NDArray[np.bool_]

_CROP_PX = 96


def moments_box(mask: Mask) -> OrientedBox:
    """Return the box along the principal axes of a mask's pixels (second moments)."""
    moments = cv2.moments(mask.astype(np.uint8), binaryImage=True)
    xx, xy, yy = moments["mu20"], moments["mu11"], moments["mu02"]
    spread = float(np.hypot(xx - yy, 2 * xy))
    aspect = float(np.sqrt((xx + yy + spread) / max(xx + yy - spread, 1e-9)))
    return box_along(outline_of_mask(mask), 0.5 * float(np.arctan2(2 * xy, xx - yy)), aspect)


def outline_box(mask: Mask) -> OrientedBox:
    """Return the truth's own definition, of what shows: moments of the mask's convex outline."""
    return oriented_box(outline_of_mask(mask))


def smallest_box(mask: Mask) -> OrientedBox:
    """Return the minimum-area rectangle of a mask's pixels."""
    outline = outline_of_mask(mask)
    _, (first, second), degrees = cv2.minAreaRect(outline.astype(np.float32))
    angle = np.radians(degrees) + (0.0 if first >= second else np.pi / 2)
    return box_along(outline, float(angle), max(first, second) / max(min(first, second), 1e-6))


MASK_METHODS: dict[str, Callable[[Mask], OrientedBox]] = {
    "moments": moments_box,
    "moments of the outline": outline_box,
    "minAreaRect": smallest_box,
}


def on_true_mask(sample: BoxSample, method: Callable[[Mask], OrientedBox]) -> OrientedBox | None:
    """Apply a method to the pixels that truly show the object."""
    assert sample.mask is not None
    return method(sample.mask)


def on_otsu(sample: BoxSample, method: Callable[[Mask], OrientedBox]) -> OrientedBox | None:
    """Apply a method to the segmentation one would have: Otsu's threshold in the crop.

    The object is the side of the threshold that is rarer along the crop's border; of its parts,
    the largest.

    Returns:
        None where the segmentation is empty.
    """
    half = float(sample.box[2:].max()) * CROP_MARGIN / 2
    scale = 2 * half / _CROP_PX
    start = sample.box[:2] - half + scale / 2
    frame_from_crop = np.array([(scale, 0, start[0]), (0, scale, start[1])])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(
        sample.pixels,
        frame_from_crop,
        (_CROP_PX, _CROP_PX),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    _, bright = cv2.threshold(crop, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    mask = bright if border.mean() < 0.5 else 1 - bright
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    try:
        found = method(numbers == largest)
    except ValueError:
        # A line of pixels has no area.
        return None
    return OrientedBox(
        found.centre * scale + start,
        found.long_half * scale,
        found.short_half * scale,
        found.aspect,
    )
