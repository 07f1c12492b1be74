# SPDX-License-Identifier: Apache-2.0
"""Sign faces drawn by script: outlines, arrows, stripes and lettering."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.materials import Materials

Gray = NDArray[np.uint8]


def tone(rng: np.random.Generator, low: int = 0, high: int = 255) -> int:
    """Draw one gray value between ``low`` and ``high``."""
    return int(rng.integers(low, high + 1))


def contrasting(rng: np.random.Generator, other: int, least: int = 50) -> int:
    """Draw a gray value at least ``least`` away from ``other``."""
    below, above = max(0, other - least), max(0, 255 - other - least)
    if rng.random() * (below + above) < below:
        return int(rng.integers(0, below + 1))
    return 255 - int(rng.integers(0, above + 1))


def outline(name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a closed outline in the unit circle, N×2, x right and y down.

    Raises:
        ValueError: the name is not a known outline.
    """

    def regular(corners: int, turn: float) -> NDArray[np.float64]:
        angles = turn + 2 * np.pi * np.arange(corners) / corners
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    if name in ("circle", "ring"):
        return regular(28, 0.0)
    if name == "triangle":
        return regular(3, -np.pi / 2)
    if name == "turned_triangle":
        return regular(3, np.pi / 2)
    if name == "diamond":
        return regular(4, 0.0)
    if name == "rectangle":
        return regular(4, np.pi / 4) * [1.3, rng.uniform(0.5, 1.3)]
    if name == "hexagon":
        return regular(6, 0.0)
    if name == "octagon":
        return regular(8, np.pi / 8)
    if name == "star":
        return regular(10, -np.pi / 2) * np.where(np.arange(10) % 2, 0.45, 1.0)[:, None]
    if name == "half_disc":
        angles = np.linspace(0, np.pi, 15)
        return np.stack([np.cos(angles), np.sin(angles) - 0.5], axis=1)
    if name == "arrow":
        half = [(0.0, -1.0), (0.8, -0.1), (0.3, -0.1), (0.3, 1.0)]
        return np.array(half + [(-x, y) for x, y in reversed(half)])
    if name == "bar":
        return np.array([(-1.0, -0.22), (1.0, -0.22), (1.0, 0.22), (-1.0, 0.22)])
    if name == "cross":
        a = 0.3
        arm = [(-a, -1.0), (a, -1.0), (a, -a)]
        turns = [np.array([(0, -1), (1, 0)]), np.eye(2)]
        quarter = np.array(arm) @ turns[1]
        parts = [quarter]
        for _ in range(3):
            parts.append(parts[-1] @ np.array([(0.0, 1.0), (-1.0, 0.0)]))
        return np.concatenate(parts)
    raise ValueError(f"unknown sign outline {name!r}")


def fill(canvas: Gray, points: NDArray[np.float64], value: int) -> None:
    """Fill an outline given in pixels."""
    cv2.fillPoly(
        canvas,
        [np.round(points * 16).astype(np.int32)],
        int(value),
        lineType=cv2.LINE_AA,
        shift=4,
    )


def write(
    canvas: Gray, rng: np.random.Generator, materials: Materials, box: tuple[int, ...], value: int
) -> None:
    """Letter a short word into ``box`` (x, y, width, height in pixels)."""
    x, y, width, height = box
    count = int(rng.integers(1, 7))
    word = "".join(materials.letters[i] for i in rng.integers(0, len(materials.letters), count))
    font = int(materials.fonts[rng.integers(len(materials.fonts))])
    (text_width, text_height), _ = cv2.getTextSize(word, font, 1.0, 1)
    scale = max(0.2, min(width / max(text_width, 1), height / max(text_height, 1)))
    thickness = max(1, round(scale * rng.uniform(0.8, 2.5)))
    origin = (
        int(x + (width - text_width * scale) / 2),
        int(y + (height + text_height * scale) / 2),
    )
    cv2.putText(canvas, word, origin, font, scale, int(value), thickness, cv2.LINE_AA)


def sign(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Gray:
    """Draw a sign: a panel, one or two nested outlines and perhaps lettering."""
    panel = tone(rng)
    if rng.random() < 0.4:
        panel = tone(rng, 200, 255)
    canvas = np.full((height, width), panel, np.uint8)
    centre = np.array([width, height]) * (0.5 + rng.normal(0, 0.02, 2))
    radius: float | NDArray[np.float64] = min(width, height) * rng.uniform(0.3, 0.49)
    if rng.random() < 0.25:
        radius = np.array([width, height]) * rng.uniform(0.3, 0.49)
    angle = rng.choice([0.0, np.pi / 2, np.pi, -np.pi / 2, rng.uniform(0, 2 * np.pi)])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    value = panel
    for _ in range(int(rng.integers(1, 4))):
        name = materials.shapes[rng.integers(len(materials.shapes))]
        value = contrasting(rng, value)
        points = outline(name, rng) @ turn
        fill(canvas, centre + points * radius, value)
        if name == "ring":
            fill(canvas, centre + points * radius * 0.75, panel)
        radius = radius * rng.uniform(0.5, 0.85)
    if rng.random() < 0.4:
        box = (int(width * 0.25), int(height * 0.35), int(width * 0.5), int(height * 0.3))
        write(canvas, rng, materials, box, contrasting(rng, value))
    return canvas
