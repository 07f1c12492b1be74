# SPDX-License-Identifier: Apache-2.0
"""Things that are none of the signs: other artwork, fiducials, printed faces, blank shapes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.road_signs.catalogue import other_artwork
from stn_perception.training.road_signs.color import photograph_crop, tinted
from stn_perception.training.scenes import faces, signs
from stn_perception.training.scenes.materials import Materials
from stn_perception.training.view_axes import SQUARE

Rgba = NDArray[np.uint8]

_SIDE_PX = 64

# Kind and share of the things that are no sign; the rest is background with nothing in front.
SHARES: tuple[tuple[str, float], ...] = (
    ("other artwork", 0.42),
    ("fiducial", 0.14),
    ("printed face", 0.14),
    ("blank shape", 0.14),
    ("photograph", 0.06),
    ("nothing", 0.10),
)


def _opaque(color: NDArray[np.uint8]) -> Rgba:
    return np.dstack([color, np.full(color.shape[:2], 255, np.uint8)])


def _fiducial(rng: np.random.Generator, materials: Materials) -> Rgba:
    name = materials.dictionaries[rng.integers(len(materials.dictionaries))]
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    side = _SIDE_PX if rng.random() < 0.5 else int(_SIDE_PX * rng.uniform(0.7, 0.95))
    number = int(rng.integers(len(dictionary.bytesList)))
    tag = cv2.aruco.generateImageMarker(dictionary, number, side)
    canvas = np.full((_SIDE_PX, _SIDE_PX), 255, np.uint8)
    start = (_SIDE_PX - side) // 2
    canvas[start : start + side, start : start + side] = tag
    gray = (20 + canvas.astype(np.float32) * (225 / 255)).astype(np.uint8)
    return _opaque(np.dstack([gray, gray, gray]))


def _blank(rng: np.random.Generator, materials: Materials) -> tuple[Rgba, NDArray[np.float64]]:
    """One or two nested outlines in plain colours, perhaps with a letter: a sign of no class."""
    canvas = np.zeros((4 * _SIDE_PX, 4 * _SIDE_PX, 4), np.uint8)
    name = materials.shapes[rng.integers(len(materials.shapes))]
    shape = signs.outline(name, rng)
    shape = shape / np.abs(shape).max()
    middle = 2 * _SIDE_PX - 0.5
    size = 1.0
    for _ in range(int(rng.integers(1, 4))):
        at = np.round((middle + shape * size * middle) * 16).astype(np.int32)
        color = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.fillPoly(canvas, [at], (*color, 255), cv2.LINE_AA, shift=4)
        size *= rng.uniform(0.6, 0.93)
    if rng.random() < 0.5:
        text = "".join(rng.choice(list(materials.letters), int(rng.integers(1, 4))))
        font = int(materials.fonts[rng.integers(len(materials.fonts))])
        scale = rng.uniform(1.5, 3.5) / len(text) ** 0.5
        (width, height), _ = cv2.getTextSize(text, font, scale, 6)
        origin = (int(middle - width / 2), int(middle + height / 2))
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.putText(canvas, text, origin, font, scale, (*ink, 255), 8, cv2.LINE_AA)
    small = cv2.resize(canvas, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), np.asarray(shape, dtype=np.float64)


def draw_unknown(
    rng: np.random.Generator, materials: Materials, held_out: bool
) -> tuple[str, Rgba | None, NDArray[np.float64]]:
    """Draw something that is no sign.

    Returns:
        Its kind; its picture, uint8 S×S×4, or None where there is nothing; and its outline, M×2
        in axes in which the picture spans -1 to 1.
    """
    choice = rng.random()
    kind = SHARES[-1][0]
    for name, share in SHARES:
        choice -= share
        if choice < 0:
            kind = name
            break
    if kind == "other artwork":
        artwork = other_artwork(held_out)
        design = artwork[rng.integers(len(artwork))]
        return kind, design.pixels, design.outline
    if kind == "blank shape":
        return kind, *_blank(rng, materials)
    if kind == "fiducial":
        return kind, _fiducial(rng, materials), SQUARE
    if kind == "printed face":
        gray = faces.random_texture(rng, materials, _SIDE_PX, _SIDE_PX)[1]
        return kind, _opaque(tinted(rng, np.ascontiguousarray(gray))), SQUARE
    if kind == "photograph":
        return kind, _opaque(photograph_crop(rng, materials, _SIDE_PX, _SIDE_PX)), SQUARE
    return kind, None, SQUARE
