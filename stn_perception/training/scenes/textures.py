# SPDX-License-Identifier: Apache-2.0
"""Faces of planar objects: pages, labels, fiducials, screens, grids, prints, plain panels."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from stn_perception.training.scenes.materials import Materials, photograph_crop
from stn_perception.training.scenes.signs import Gray, contrasting, tone, write

Texture = Callable[[np.random.Generator, Materials, int, int], Gray]


def plain(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw an even panel."""
    return np.full((height, width), tone(rng), np.uint8)


def text_page(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw a page of lettering in one or two columns, perhaps with a picture or a heading."""
    paper = tone(rng, 150, 255) if rng.random() < 0.85 else tone(rng, 0, 80)
    ink = contrasting(rng, paper, 70)
    canvas = np.full((height, width), paper, np.uint8)
    margin = max(1, int(min(width, height) * rng.uniform(0.02, 0.14)))
    columns = int(rng.integers(1, 3)) if width > 60 else 1
    pitch = max(4, int(height / rng.uniform(6, 26)))
    column_width = (width - 2 * margin) // columns
    lettered = rng.random() < 0.4
    y = margin
    if rng.random() < 0.3:
        write(canvas, rng, materials, (margin, margin, width - 2 * margin, 2 * pitch), ink)
        y += 3 * pitch
    while y + pitch <= height - margin:
        for column in range(columns):
            x = margin + column * column_width
            end = x + int(column_width * (0.92 if rng.random() < 0.8 else rng.uniform(0.2, 0.9)))
            while x < end:
                word = int(pitch * rng.uniform(0.6, 3.5))
                stop = min(x + word, end)
                if lettered and pitch >= 7:
                    write(canvas, rng, materials, (x, y, stop - x, int(pitch * 0.55)), ink)
                else:
                    half = max(1, int(pitch * 0.25))
                    bar = canvas[y + half : y + pitch - half, x:stop]
                    bar[rng.random(bar.shape) < 0.6] = ink
                x = stop + max(1, pitch // 3)
        y += pitch
    if rng.random() < 0.2:
        part_width, part_height = max(4, width // 3), max(4, height // 3)
        x = int(rng.integers(margin, max(margin + 1, width - margin - part_width)))
        y = int(rng.integers(margin, max(margin + 1, height - margin - part_height)))
        picture = photograph_crop(rng, materials, part_width, part_height)
        region = canvas[y : y + part_height, x : x + part_width]
        region[:] = picture[: region.shape[0], : region.shape[1]]
    return canvas


def fiducial(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw a square fiducial centred on a panel, with or without a quiet zone."""
    name = materials.dictionaries[rng.integers(len(materials.dictionaries))]
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    count = len(dictionary.bytesList)
    tag = cv2.aruco.generateImageMarker(dictionary, int(rng.integers(count)), 48)
    if rng.random() < 0.1:
        tag = cv2.bitwise_not(tag)
    low, high = tone(rng, 0, 60), tone(rng, 150, 255)
    tag = (low + tag.astype(np.float32) * ((high - low) / 255)).astype(np.uint8)
    canvas = np.full((height, width), high, np.uint8)
    share = 1.0 if rng.random() < 0.25 else rng.uniform(0.5, 0.97)
    if share == 1.0 and 0.8 < width / height < 1.25:
        return np.asarray(cv2.resize(tag, (width, height), interpolation=cv2.INTER_NEAREST))
    side = max(8, int(min(width, height) * share))
    x, y = (width - side) // 2, (height - side) // 2
    canvas[y : y + side, x : x + side] = cv2.resize(
        tag, (side, side), interpolation=cv2.INTER_NEAREST
    )
    return canvas


def checkerboard(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw a board of squares."""
    columns, rows = rng.integers(2, 10, 2)
    first = tone(rng)
    board = (np.add.outer(np.arange(rows), np.arange(columns)) % 2).astype(np.uint8)
    values = np.array([first, contrasting(rng, first)], np.uint8)[board]
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST))


def stripes(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw parallel stripes at any angle."""
    angle, pitch = rng.uniform(0, np.pi), min(width, height) / rng.uniform(1.5, 8)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    phase = (x * np.cos(angle) + y * np.sin(angle)) / pitch + rng.random()
    first = tone(rng)
    second = contrasting(rng, first)
    share = rng.uniform(0.3, 0.7)
    return np.where(phase % 1 < share, first, second).astype(np.uint8)


def line_grid(
    rng: np.random.Generator,
    materials: Materials,
    width: int,
    height: int,
    paper: int | None = None,
) -> Gray:
    """Draw a ruled table whose outer line is the object's edge, with entries in some cells."""
    paper = tone(rng, 130, 255) if paper is None else paper
    ink = max(0, paper - int(rng.uniform(60, 220)))
    canvas = np.full((height, width), paper, np.uint8)
    columns, rows = (9, 9) if rng.random() < 0.45 else rng.integers(2, 13, 2)
    thin = max(1, round(min(width, height) * rng.uniform(0.003, 0.012)))
    thick = max(thin, round(min(width, height) * rng.uniform(0.008, 0.03)))
    group = 3 if rng.random() < 0.6 else 100
    for count, extent, axis in ((columns, width, 1), (rows, height, 0)):
        for i in range(count + 1):
            line = thick if i % group == 0 or i == count else thin
            start = round((extent - line) * i / count)
            if axis == 1:
                canvas[:, start : start + line] = ink
            else:
                canvas[start : start + line] = ink
    share = rng.uniform(0, 0.7)
    cell_width, cell_height = width / columns, height / rows
    for row in range(rows):
        for column in range(columns):
            if rng.random() < share and min(cell_width, cell_height) > 6:
                box = (
                    int(column * cell_width + cell_width * 0.3),
                    int(row * cell_height + cell_height * 0.25),
                    max(1, int(cell_width * 0.4)),
                    max(1, int(cell_height * 0.5)),
                )
                _digit(canvas, rng, materials, box, ink)
    return canvas


def _digit(
    canvas: Gray, rng: np.random.Generator, materials: Materials, box: tuple[int, ...], ink: int
) -> None:
    x, y, _width, height = box
    font = int(materials.fonts[rng.integers(len(materials.fonts))])
    letter = materials.letters[rng.integers(len(materials.letters))]
    scale = height / 21.0
    thickness = max(1, round(scale * 2))
    cv2.putText(canvas, letter, (x, y + height), font, scale, ink, thickness, cv2.LINE_AA)


def screen(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw a display: a bezel, windows, lines of text, perhaps a picture."""
    canvas = np.full((height, width), tone(rng, 5, 60), np.uint8)
    bezel = int(min(width, height) * rng.uniform(0.0, 0.1))
    inner = canvas[bezel : height - bezel, bezel : width - bezel]
    if rng.random() < 0.4:
        inner[:] = photograph_crop(rng, materials, inner.shape[1], inner.shape[0])
    else:
        inner[:] = tone(rng)
    for _ in range(int(rng.integers(0, 4))):
        w = int(rng.integers(inner.shape[1] // 4, max(inner.shape[1] // 4 + 1, inner.shape[1])))
        h = int(rng.integers(inner.shape[0] // 4, max(inner.shape[0] // 4 + 1, inner.shape[0])))
        x = int(rng.integers(0, inner.shape[1] - w + 1))
        y = int(rng.integers(0, inner.shape[0] - h + 1))
        face = text_page if rng.random() < 0.5 else plain
        inner[y : y + h, x : x + w] = face(rng, materials, max(w, 24), max(h, 24))[:h, :w]
    if rng.random() < 0.5:
        bar = max(1, int(inner.shape[0] * rng.uniform(0.03, 0.12)))
        inner[:bar] = tone(rng)
    return canvas


def patches(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw overlapping polygons and discs of random tones."""
    canvas = np.full((height, width), tone(rng), np.uint8)
    for _ in range(int(rng.integers(2, 9))):
        centre = rng.uniform(0, 1, 2) * [width, height]
        size = rng.uniform(0.05, 0.4) * min(width, height)
        if rng.random() < 0.4:
            cv2.circle(canvas, (int(centre[0]), int(centre[1])), int(size) + 1, tone(rng), -1)
        else:
            points = centre + rng.normal(0, size, (int(rng.integers(3, 6)), 2))
            cv2.fillPoly(canvas, [points.astype(np.int32)], tone(rng), lineType=cv2.LINE_AA)
    return canvas
