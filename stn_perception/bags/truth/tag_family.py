# SPDX-License-Identifier: Apache-2.0
"""Families of fiducials, and which way up their tags are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from stn_perception.bags.errors import BagError

# Tag 0 of each AprilTag family as its authors print it, from the top left, row by row. OpenCV has
# had these dictionaries upside down (opencv/opencv, pull request 28823), and corrects that.
_FIRST_APRILTAG = {
    "apriltag_16h5": 0x231B,
    "apriltag_25h9": 0x155CBF1,
    "apriltag_36h10": 0x1CA92A687,
    "apriltag_36h11": 0xD5D628584,
}


@dataclass(frozen=True)
class TagFamily:
    """A family of fiducials that OpenCV knows.

    Attributes:
        name: ``apriltag_36h11``, ``4x4_50`` ...
        number: Of OpenCV's predefined dictionary.
        cells: Along a tag's side, its black border included.
        quarter_turns: By how many quarter turns, anticlockwise on a screen, OpenCV's tags are
            turned from upright ones.
    """

    name: str
    number: int
    cells: int
    quarter_turns: int


def tag_family(name: str) -> TagFamily:
    """The family of a name: ``tag36h11``, ``apriltag_36h11``, ``DICT_4X4_50``, ``4x4_50`` ...

    Raises:
        BagError: OpenCV knows no such family.
    """
    known = {key[5:].lower(): key for key in dir(cv2.aruco) if key.startswith("DICT_")}
    plain = name.strip().lower().removeprefix("dict_")
    for candidate in (plain, f"apriltag_{plain.removeprefix('tag')}"):
        if candidate in known:
            return _family(candidate, int(getattr(cv2.aruco, known[candidate])))
    raise BagError(
        f"there is no family of fiducials '{name}', expected one of {', '.join(sorted(known))}."
    )


def _family(name: str, number: int) -> TagFamily:
    dictionary = cv2.aruco.getPredefinedDictionary(number)
    bits = int(dictionary.markerSize)
    turns = 0
    if name in _FIRST_APRILTAG:
        turns = _turns_of_first(name, dictionary, bits)
    return TagFamily(name, number, bits + 2, turns)


def _turns_of_first(name: str, dictionary: Any, bits: int) -> int:
    """How this OpenCV's tag 0 is turned from the authors' own."""
    digits = format(_FIRST_APRILTAG[name], f"0{bits * bits}b")
    upright = np.array([digit == "1" for digit in digits]).reshape(bits, bits)
    drawn = cv2.aruco.generateImageMarker(dictionary, 0, bits + 2)[1:-1, 1:-1] > 0
    for turns in range(4):
        if np.array_equal(np.rot90(upright, turns), drawn):
            return turns
    raise BagError(f"this OpenCV ({cv2.__version__}) has other tags in '{name}' than its authors.")
