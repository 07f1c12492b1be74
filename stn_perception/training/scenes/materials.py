# SPDX-License-Identifier: Apache-2.0
"""What scenes are made of, in two disjoint sets: one to train on and one to score on."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.skimage_photographs import read_photograph


@dataclass(frozen=True)
class Materials:
    """Names of the photographs, fonts, fiducials and sign shapes a scene may use.

    Attributes:
        photographs: files of scikit-image's ``data`` folder.
        fonts: OpenCV's Hershey font numbers.
        dictionaries: OpenCV's names of fiducial dictionaries.
        shapes: names of sign outlines (see ``signs.outline``).
        letters: the characters that lettering draws from.
    """

    photographs: tuple[str, ...]
    fonts: tuple[int, ...]
    dictionaries: tuple[str, ...]
    shapes: tuple[str, ...]
    letters: str

    @property
    def text(self) -> str:
        """What they are, for the card."""
        return (
            f"photographs of scikit-image ({', '.join(self.photographs)}), Hershey fonts "
            f"{list(self.fonts)}, fiducials of {', '.join(self.dictionaries)}, sign shapes "
            f"{', '.join(self.shapes)}"
        )


TRAINING = Materials(
    photographs=(
        "astronaut.png",
        "camera.png",
        "rocket.jpg",
        "motorcycle_left.png",
        "brick.png",
        "gravel.png",
        "text.png",
        "hubble_deep_field.jpg",
        "ihc.png",
        "retina.jpg",
        "moon.png",
    ),
    fonts=(
        cv2.FONT_HERSHEY_SIMPLEX,
        cv2.FONT_HERSHEY_PLAIN,
        cv2.FONT_HERSHEY_DUPLEX,
        cv2.FONT_HERSHEY_TRIPLEX,
    ),
    dictionaries=("DICT_4X4_250", "DICT_5X5_250", "DICT_ARUCO_ORIGINAL", "DICT_APRILTAG_16h5"),
    shapes=("circle", "triangle", "diamond", "rectangle", "arrow", "bar", "hexagon", "ring"),
    letters="ABCDEGHIKLMNPRSTUVXYZ0123456789aeinorstu",
)

HELD_OUT = Materials(
    photographs=("coffee.png", "chelsea.png", "grass.png", "page.png", "coins.png"),
    fonts=(
        cv2.FONT_HERSHEY_COMPLEX,
        cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
        cv2.FONT_HERSHEY_COMPLEX_SMALL,
    ),
    dictionaries=("DICT_6X6_250", "DICT_APRILTAG_36h11", "DICT_7X7_250"),
    shapes=("octagon", "cross", "turned_triangle", "star", "half_disc"),
    letters="FJQWOfghjklmpqwxyz&%?",
)


@functools.cache
def photograph(name: str) -> NDArray[np.uint8]:
    """Return one of scikit-image's photographs in gray.

    Raises:
        FileNotFoundError: scikit-image or the file in it is not installed.
    """
    return read_photograph(name, cv2.IMREAD_GRAYSCALE)


def photograph_crop(
    rng: np.random.Generator, materials: Materials, width: int, height: int
) -> NDArray[np.uint8]:
    """Cut a random part of a random photograph, turned, mirrored and toned at random.

    Returns:
        uint8, ``height`` × ``width``.
    """
    source = photograph(materials.photographs[rng.integers(len(materials.photographs))])
    fit = min(source.shape[1] / width, source.shape[0] / height)
    zoom = min(fit, float(np.exp(rng.uniform(np.log(0.35), np.log(max(fit, 0.36))))))
    part_width = max(2, min(source.shape[1], int(width * zoom)))
    part_height = max(2, min(source.shape[0], int(height * zoom)))
    x = int(rng.integers(source.shape[1] - part_width + 1))
    y = int(rng.integers(source.shape[0] - part_height + 1))
    part = source[y : y + part_height, x : x + part_width]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.3:
        part = part[::-1]
    mode = cv2.INTER_AREA if zoom > 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=mode)
    if rng.random() < 0.15:
        pixels = cv2.bitwise_not(pixels)
    if rng.random() < 0.5:
        gamma = float(np.exp(rng.uniform(-0.7, 0.7)))
        table = (255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
        pixels = cv2.LUT(pixels, table)
    return np.asarray(pixels, dtype=np.uint8)
