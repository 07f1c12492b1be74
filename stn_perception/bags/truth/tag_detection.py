# SPDX-License-Identifier: Apache-2.0
"""Fiducials in a frame, with corners to a fraction of a pixel."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.truth.tag_edges import refined_corners
from stn_perception.bags.truth.tag_family import TagFamily
from stn_perception.geometry import FloatArray

# With 16 bits a tag, corrected ones are found where there are none: two of 16h5 in 22 pictures of
# a real robot's camera without any, none uncorrected.
_CELLS_WITHOUT_CORRECTION = 6


def detect_tags(gray: NDArray[np.uint8], family: TagFamily) -> list[tuple[int, FloatArray]]:
    """The fiducials of one family: number, and 4×2 corners TL, TR, BR, BL of the upright tag.

    Corners are those of the black outline, in pixel-centre coordinates. A tag whose outline shows
    no clear step is left out. In the order of their numbers, then from left to right.
    """
    outlines, numbers, _ = _detector(family).detectMarkers(gray)
    if numbers is None:
        return []
    found = []
    for outline, number in zip(outlines, np.ravel(numbers).tolist(), strict=True):
        corners = refined_corners(gray, outline.reshape(4, 2), family.cells)
        if corners is not None:
            found.append((int(number), np.roll(corners, family.quarter_turns, axis=0)))
    return sorted(found, key=lambda tag: (tag[0], *tag[1][0].tolist()))


@lru_cache(maxsize=8)
def _detector(family: TagFamily) -> Any:
    """One detector a family and process: it cannot be pickled."""
    parameters = cv2.aruco.DetectorParameters()
    # The corners are found along the edges afterwards, closer than OpenCV's refinements are.
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_NONE
    if family.cells <= _CELLS_WITHOUT_CORRECTION:
        parameters.errorCorrectionRate = 0.0
    dictionary = cv2.aruco.getPredefinedDictionary(family.number)
    return cv2.aruco.ArucoDetector(dictionary, parameters)
