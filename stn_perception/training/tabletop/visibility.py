# SPDX-License-Identifier: Apache-2.0
"""From a drawn picture to a camera's, and whether an object still shows in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.degradations import add_light, blur, expose, record

PICTURE_PX = 256

# Gray levels by which the picture changes across the rim of an object, in the mean over the rim,
# for the object to count: below this nobody could outline it.
LEAST_CONTRAST = 9.0

# Share of an object's visible rim along which its own tone and its surroundings' have to differ by
# that much, for it to be scored.
LEAST_RIM = 0.6

Light = NDArray[np.float32]


def photographed(
    rng: np.random.Generator, picture: Light, object_px: float
) -> tuple[NDArray[np.uint8], Light]:
    """Return what a camera makes of a picture, with noise and compression, and without.

    Args:
        rng: source of all randomness.
        picture: float32 H×W in [0, 255].
        object_px: how long the objects are, for blur.
    """
    clean = blur(rng, expose(rng, add_light(rng, picture)), object_px)
    return record(rng, clean), clean


def stands_out(clean: Light, seen: NDArray[np.bool_]) -> bool:
    """Return whether an object's rim shows.

    Args:
        clean: the picture without noise.
        seen: bool H×W, the pixels that show the object.
    """
    part, _, rim = _surroundings(clean, seen)
    kernel = np.ones((5, 5), np.uint8)
    change = cv2.dilate(part, kernel) - cv2.erode(part, kernel)
    return bool(change[rim].mean() >= LEAST_CONTRAST)


def shows_all_round(clean: Light, seen: NDArray[np.bool_]) -> bool:
    """Return whether an object differs from its surroundings along most of its rim.

    Stricter than ``stands_out``, which a pattern on either side satisfies as well: here the mean
    tones on both sides, within three pixels, have to differ.

    Args:
        clean: the picture without noise.
        seen: bool H×W, the pixels that show the object.
    """
    part, mask, rim = _surroundings(clean, seen)
    inside = mask.astype(np.float32)
    sides = []
    for weight in (inside, 1 - inside):
        total = cv2.blur(part * weight, (7, 7))
        sides.append(total / np.maximum(cv2.blur(weight, (7, 7)), 1e-3))
    differs = np.abs(sides[0] - sides[1]) >= LEAST_CONTRAST
    return bool(differs[rim].mean() >= LEAST_RIM)


def _surroundings(
    clean: Light, seen: NDArray[np.bool_]
) -> tuple[Light, NDArray[np.uint8], NDArray[np.bool_]]:
    """The part of the picture round an object, its mask there, and the mask's rim."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    top, bottom = max(rows[0] - 3, 0), rows[-1] + 4
    left, right = max(columns[0] - 3, 0), columns[-1] + 4
    part = np.clip(clean[top:bottom, left:right], 0, 255)
    mask = seen[top:bottom, left:right].astype(np.uint8)
    rim = (mask > 0) & (cv2.erode(mask, np.ones((3, 3), np.uint8)) == 0)
    return part, mask, rim
