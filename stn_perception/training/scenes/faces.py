# SPDX-License-Identifier: Apache-2.0
"""Whole faces: a texture, or several in one layout, with margins, borders and nested frames."""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from stn_perception.training.scenes import textures
from stn_perception.training.scenes.materials import Materials, photograph_crop
from stn_perception.training.scenes.signs import Gray, contrasting, sign, tone

_FACES: tuple[tuple[str, float, textures.Texture], ...] = (
    ("plain", 0.08, textures.plain),
    ("page", 0.12, textures.text_page),
    ("fiducial", 0.13, textures.fiducial),
    ("board", 0.05, textures.checkerboard),
    ("stripes", 0.04, textures.stripes),
    ("grid", 0.17, textures.line_grid),
    ("screen", 0.08, textures.screen),
    ("patches", 0.06, textures.patches),
    ("print", 0.14, photograph_crop),
    ("sign", 0.18, sign),
)
_CUMULATIVE = np.cumsum([share for _, share, _ in _FACES])


def random_texture(
    rng: np.random.Generator, materials: Materials, width: int, height: int
) -> tuple[str, Gray]:
    """Draw one texture of a random kind; returns its name and the pixels.

    Narrow ones are drawn at 24 pixels at least and squeezed.
    """
    index = int(np.searchsorted(_CUMULATIVE, rng.random() * _CUMULATIVE[-1], side="right"))
    name, _, texture = _FACES[min(index, len(_FACES) - 1)]
    return name, _drawn(texture, rng, materials, width, height)


def _drawn(
    texture: textures.Texture,
    rng: np.random.Generator,
    materials: Materials,
    width: int,
    height: int,
) -> Gray:
    pixels = texture(rng, materials, max(width, 24), max(height, 24))
    if pixels.shape != (height, width):
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
    return pixels


def _layout(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Put two or three textures beside or under each other on one panel."""
    panel = tone(rng, 170, 255) if rng.random() < 0.7 else tone(rng)
    canvas = np.full((height, width), panel, np.uint8)
    cells = int(rng.integers(2, 4))
    upright = height >= width
    edges = np.linspace(0, height if upright else width, cells + 1)
    edges[1:-1] += rng.normal(0, 0.06, cells - 1) * edges[-1]
    margin = min(width, height) * rng.uniform(0.03, 0.12)
    for start, end in itertools.pairwise(edges):
        across = width if upright else height
        w, h = (across, end - start) if upright else (end - start, across)
        w, h = int(w - 2 * margin), int(h - 2 * margin)
        if min(w, h) < 8:
            continue
        _, face = random_texture(rng, materials, w, h)
        x, y = (margin, start + margin) if upright else (start + margin, margin)
        region = canvas[int(y) : int(y) + h, int(x) : int(x) + w]
        region[:] = face[: region.shape[0], : region.shape[1]]
    return canvas


def _nested(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw frames within frames; the object is always the outermost one."""
    canvas = np.full((height, width), tone(rng, 0, 255), np.uint8)
    value = int(canvas[0, 0])
    inner = canvas
    for _ in range(int(rng.integers(1, 4))):
        inset = max(1, int(min(inner.shape) * rng.uniform(0.03, 0.2)))
        if min(inner.shape) - 2 * inset < 12:
            break
        inner = inner[inset:-inset, inset:-inset]
        value = contrasting(rng, value)
        inner[:] = value
    if rng.random() < 0.6 and min(inner.shape) > 24:
        inset = int(min(inner.shape) * rng.uniform(0.02, 0.15)) + 1
        core = inner[inset:-inset, inset:-inset]
        core[:] = random_texture(rng, materials, core.shape[1], core.shape[0])[1]
    return canvas


def random_face(
    rng: np.random.Generator, materials: Materials, width: int, height: int
) -> tuple[str, Gray]:
    """Draw the face of one planar object.

    Returns:
        Its kind, and uint8 ``height`` × ``width``; the face's edges are the picture's edges.
    """
    choice = rng.random()
    if choice < 0.18:
        return "layout", _layout(rng, materials, width, height)
    if choice < 0.32:
        return "nested", _nested(rng, materials, width, height)
    name, canvas = random_texture(rng, materials, width, height)
    if name != "grid" and rng.random() < 0.3:
        thickness = max(1, int(min(width, height) * rng.uniform(0.01, 0.08)))
        value = tone(rng)
        canvas[:thickness] = value
        canvas[-thickness:] = value
        canvas[:, :thickness] = value
        canvas[:, -thickness:] = value
    return name, canvas


def sheet_around(
    rng: np.random.Generator,
    materials: Materials,
    face: Gray,
    kind: str,
    reach: float,
) -> Gray:
    """Put a face in the middle of a larger printed sheet of the same plane.

    Args:
        rng: source of randomness.
        materials: what may be drawn.
        face: the object, H×W.
        kind: the object's kind; a ruled grid lies on paper of its own tone.
        reach: how far the sheet goes beyond each edge, as a share of the object's size.

    Returns:
        uint8, H·(1 + 2·reach) × W·(1 + 2·reach) rounded to whole pixels per side.
    """
    height, width = face.shape
    pad_x, pad_y = round(width * reach), round(height * reach)
    if kind == "grid":
        paper = int(np.percentile(face, 80))
    elif kind in ("page", "nested", "layout", "plain"):
        paper = contrasting(rng, int(face[0, 0]), 20)
    else:
        paper = tone(rng, 120, 255)
    sheet = np.full((height + 2 * pad_y, width + 2 * pad_x), paper, np.uint8)
    ink = contrasting(rng, paper, 60)
    for _ in range(int(rng.integers(1, 7))):
        w = max(8, int(rng.uniform(0.15, 1.2) * width))
        h = max(8, int(rng.uniform(0.1, 0.8) * height))
        gap = int(rng.uniform(0.02, 0.25) * min(width, height))
        if rng.random() < 0.5:
            x = int(rng.integers(0, sheet.shape[1]))
            y = pad_y - gap - h if rng.random() < 0.5 else pad_y + height + gap
        else:
            x = pad_x - gap - w if rng.random() < 0.5 else pad_x + width + gap
            y = int(rng.integers(0, sheet.shape[0]))
        left, top = max(x, 0), max(y, 0)
        region = sheet[top : max(y + h, 0), left : max(x + w, 0)]
        if min(region.shape) < 6:
            continue
        if rng.random() < 0.6:
            part = _drawn(textures.text_page, rng, materials, region.shape[1], region.shape[0])
            low = np.where(part == part[0, 0], paper, ink)
            region[:] = low
        elif rng.random() < 0.5:
            region[:] = random_texture(rng, materials, region.shape[1], region.shape[0])[1]
        else:
            region[:2] = ink
            region[-2:] = ink
    if rng.random() < 0.25:
        # A frame round the object, as printed boxes and page borders are.
        gap_x, gap_y = (rng.uniform(0.06, 0.9, 2) * [pad_x, pad_y]).astype(int)
        start, end = (
            (pad_x - gap_x, pad_y - gap_y),
            (pad_x + width + gap_x, pad_y + height + gap_y),
        )
        cv2.rectangle(
            sheet,
            (int(start[0]), int(start[1])),
            (int(end[0]), int(end[1])),
            ink,
            int(rng.integers(1, 4)),
        )
    sheet[pad_y : pad_y + height, pad_x : pad_x + width] = face
    return sheet
