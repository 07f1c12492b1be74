# SPDX-License-Identifier: Apache-2.0
"""The designs that come with the package: rasters of signs, and of artwork that is no sign."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "designs"
CATALOGUE = "catalogue.csv"

UNKNOWN = "unknown"

Use = Literal["class", "training", "held_out"]


@dataclass(frozen=True)
class Design:
    """One piece of artwork on a transparent square.

    Attributes:
        name: its class, or ``unknown``.
        symmetry: number of quarter turns (1, 2 or 4) by which the artwork looks the same.
        use: ``class`` for the signs; where other artwork may appear.
        source: file of the clip-art library, or function of ``drawn``.
        pixels: uint8 S×S×4, RGB and opacity.
        outline: float64 M×2, convex hull of what is opaque, in axes from -1 to 1.
    """

    name: str
    symmetry: int
    use: Use
    source: str
    pixels: NDArray[np.uint8]
    outline: NDArray[np.float64]


def _outline(alpha: NDArray[np.uint8]) -> NDArray[np.float64]:
    rows, columns = np.nonzero(alpha > 100)
    side = alpha.shape[0]
    # The corners of every opaque pixel, so that the hull runs along the artwork's edge.
    points = np.concatenate(
        [np.stack([columns + dx, rows + dy], axis=1) for dx in (-0.5, 0.5) for dy in (-0.5, 0.5)]
    ).astype(np.float32)
    hull = cv2.convexHull(points)[:, 0].astype(np.float64)
    return np.asarray((2 * hull + 1) / side - 1)


@functools.cache
def designs() -> tuple[Design, ...]:
    """Return every design of the catalogue, in its order.

    Raises:
        FileNotFoundError: the package was installed without them.
    """
    found = []
    with open(FOLDER / CATALOGUE, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = FOLDER / row["file"]
            pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
                raise FileNotFoundError(f"{path} is no picture with opacity")
            rgba = np.asarray(pixels[..., [2, 1, 0, 3]], dtype=np.uint8, order="C")
            use: Use = "class"
            if row["use"] != "class":
                use = "held_out" if row["use"] == "held_out" else "training"
            found.append(
                Design(
                    name=row["class"],
                    symmetry=int(row["symmetry"]),
                    use=use,
                    source=row["source"],
                    pixels=rgba,
                    outline=_outline(rgba[..., 3]),
                )
            )
    return tuple(found)


@functools.cache
def class_names() -> tuple[str, ...]:
    """Return the classes in the order of the network's outputs; ``unknown`` is the last."""
    names = [design.name for design in designs() if design.use == "class"]
    return (*dict.fromkeys(names), UNKNOWN)


@functools.cache
def signs_of(name: str) -> tuple[Design, ...]:
    """Return the designs of one class."""
    return tuple(d for d in designs() if d.use == "class" and d.name == name)


@functools.cache
def other_artwork(held_out: bool) -> tuple[Design, ...]:
    """Return the artwork that is none of the classes, for training or for scoring."""
    use = "held_out" if held_out else "training"
    return tuple(d for d in designs() if d.use == use)
