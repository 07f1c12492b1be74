# SPDX-License-Identifier: Apache-2.0
"""Pasted scenes: cut-outs on other backgrounds, turned, stretched, toned and crowded anew.

Cheap, so that one rendering is seen in many poses; and far from a rendering where it helps: small
objects, weak contrast, dark on bright and bright on dark, rows of like things, as in thermal
pictures from the air.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.backgrounds import random_background
from stn_perception.training.scenes.materials import Materials
from stn_perception.training.tabletop.cutouts import CUTOUT_PX, Cutout
from stn_perception.training.tabletop.oriented import hull_of, outline_of_mask
from stn_perception.training.tabletop.sample import Labelled, Scene
from stn_perception.training.tabletop.visibility import PICTURE_PX, Light, photographed, stands_out

_LEAST_SEEN = 0.35
_LEAST_PIXELS = 25

Matrix = NDArray[np.float64]


def _layout(rng: np.random.Generator, object_px: float) -> list[tuple[Matrix, float, int]]:
    """Positions, angles and a number that like things share, in the order they are pasted."""
    if rng.random() < 0.35:
        angle = rng.uniform(0, np.pi)
        along = rng.uniform(0, 2 * np.pi)
        step = object_px * rng.uniform(0.45, 1.1) * np.array([np.cos(along), np.sin(along)])
        start = rng.uniform(0.15, 0.85, 2) * PICTURE_PX - 2 * step
        skew = rng.uniform(0, 0.2)
        row = [(start + k * step, angle + rng.normal(0, skew), 0) for k in range(6)]
    else:
        row = []
    count = int(np.clip((PICTURE_PX / object_px) ** 2 * rng.uniform(0.2, 0.6), 2, 12))
    alone = [
        (rng.uniform(0.08, 0.92, 2) * PICTURE_PX, rng.uniform(0, 2 * np.pi), k + 1)
        for k in range(count)
    ]
    return row + alone


def _toned(rng: np.random.Generator, cutout: Cutout, ground: float, weak: bool) -> Light:
    """Set a cut-out's tones against the ground's: brighter or darker, its own contrast kept."""
    gray = cutout.gray.astype(np.float32)
    if rng.random() < 0.25 and not weak:
        return gray
    inside = gray[cutout.mask > 0]
    mean = float(inside.mean()) if len(inside) else 128.0
    spread = max(float(inside.std()) if len(inside) else 1.0, 4.0)
    low, high = (8, 45) if weak else (20, 130)
    level = ground + rng.choice([-1.0, 1.0]) * rng.uniform(low, high)
    wanted = float(np.exp(rng.uniform(np.log(3), np.log(high * 0.6))))
    sign = rng.choice([-1.0, 1.0])
    return np.asarray(level + (gray - mean) * np.float32(sign * wanted / spread), dtype=np.float32)


def _placing(
    rng: np.random.Generator, cutout: Cutout, at: Matrix, angle: float, length_px: float
) -> Matrix:
    """picture_from_cutout, 2×3: turned, scaled, stretched, perhaps mirrored."""
    extent = float(np.linalg.norm(np.ptp(cutout.outline, axis=0)))
    scale = length_px / extent * np.exp(rng.normal(0, 0.12))
    c, s = np.cos(angle), np.sin(angle)
    stretch = np.exp(rng.normal(0, 0.12))
    own = rng.uniform(0, np.pi) if rng.random() < 0.3 else 0.0
    co, so = np.cos(own), np.sin(own)
    inner = np.array([(co, -so), (so, co)])
    linear = inner @ np.diag([scale * stretch, scale / stretch]) @ inner.T
    linear = np.array([(c, -s), (s, c)]) @ linear
    if rng.random() < 0.5:
        linear = linear @ np.diag([1.0, -1.0])
    middle = np.array([(CUTOUT_PX - 1) / 2] * 2)
    return np.column_stack([linear, at - linear @ middle])


def _pick(
    rng: np.random.Generator, library: Sequence[Cutout], favoured: dict[int, Cutout], group: int
) -> Cutout:
    """Any cut-out for lone things; in a row mostly the same kind, often the same thing."""
    if group == 0 and 0 in favoured and rng.random() < 0.8:
        return favoured[0]
    cutout = library[int(rng.integers(len(library)))]
    favoured.setdefault(group, cutout)
    return cutout


def pasted_scene(
    rng: np.random.Generator, library: Sequence[Cutout], materials: Materials
) -> Scene:
    """Draw a scene.

    Args:
        rng: source of all randomness.
        library: what is pasted.
        materials: what the background is made of.
    """
    size = (PICTURE_PX, PICTURE_PX)
    object_px = float(np.exp(rng.uniform(np.log(20), np.log(90))))
    canvas = random_background(rng, materials, *size).astype(np.float32)
    weak = bool(rng.random() < 0.4)
    if rng.random() < 0.5:
        calm = np.float32(rng.uniform(0.08, 0.5))
        canvas = canvas.mean() + (canvas - canvas.mean()) * calm
    ground = float(canvas.mean())
    owner = np.full(size, -1, np.int16)
    outlines: list[tuple[Matrix, int, str]] = []
    favoured: dict[int, Cutout] = {}
    for at, angle, group in _layout(rng, object_px):
        cutout = _pick(rng, library, favoured, group)
        matrix = _placing(rng, cutout, at, angle, object_px)
        tones = cv2.warpAffine(
            _toned(rng, cutout, ground, weak),
            matrix,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        alpha = cv2.warpAffine(cutout.mask, matrix, size, flags=cv2.INTER_LINEAR)
        cover = alpha.astype(np.float32) / np.float32(255)
        if rng.random() < 0.3:
            canvas = _with_shadow(rng, canvas, cover, object_px)
        canvas = np.asarray(canvas + (tones - canvas) * cover, dtype=np.float32)
        owner[alpha > 127] = len(outlines)
        outline = cutout.outline @ matrix[:, :2].T + matrix[:, 2]
        outlines.append((outline, int((alpha > 127).sum()), cutout.kind))
    pixels, clean = photographed(rng, canvas, object_px)
    return _labelled(pixels, clean, owner, outlines)


def _with_shadow(rng: np.random.Generator, canvas: Light, cover: Light, object_px: float) -> Light:
    shift = rng.normal(0, 0.08 * object_px, 2)
    matrix = np.array([(1, 0, shift[0]), (0, 1, shift[1])])
    shadow = cv2.warpAffine(cover, matrix, (PICTURE_PX, PICTURE_PX))
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.5, 0.04 * object_px))
    return np.asarray(canvas * (1 - np.float32(rng.uniform(0.1, 0.6)) * shadow), np.float32)


def _labelled(
    pixels: NDArray[np.uint8],
    clean: Light,
    owner: NDArray[np.int16],
    outlines: list[tuple[Matrix, int, str]],
) -> Scene:
    objects: list[Labelled] = []
    number = np.full(len(outlines) + 1, -1, np.int16)
    for place, (outline, area, kind) in enumerate(outlines):
        low, high = outline.min(axis=0), outline.max(axis=0)
        cut = low.min() < 0 or high.max() > PICTURE_PX - 1
        seen = owner == place
        count = int(seen.sum())
        hidden = 1 - count / max(area, 1)
        # Objects that the frame cuts stay in the picture, as clutter.
        if cut or count < _LEAST_PIXELS or hidden > 1 - _LEAST_SEEN:
            continue
        if not stands_out(clean, seen):
            continue
        number[place] = len(objects)
        objects.append(Labelled(hull_of(outline), outline_of_mask(seen), hidden, kind))
    return Scene(pixels, tuple(objects), number[owner])
