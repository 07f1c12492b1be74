# SPDX-License-Identifier: Apache-2.0
"""What lies behind and around the object: photographs, desks, clutter, other quadrilaterals."""

from __future__ import annotations

import cv2
import numpy as np

from stn_perception.training.scenes import faces
from stn_perception.training.scenes.materials import Materials, photograph_crop
from stn_perception.training.scenes.signs import Gray, tone


def _gradient(rng: np.random.Generator, width: int, height: int) -> Gray:
    base, slope = rng.uniform(10, 245), rng.normal(0, 30, 2)
    x = np.linspace(-1, 1, width, dtype=np.float32) * slope[0]
    y = np.linspace(-1, 1, height, dtype=np.float32) * slope[1]
    return np.asarray(np.clip(base + x[None] + y[:, None], 0, 255), dtype=np.uint8)


def _grain(rng: np.random.Generator, width: int, height: int) -> Gray:
    """Smooth noise stretched along one axis: wood, cloth, concrete."""
    columns = max(2, int(width / rng.uniform(2, 30)))
    rows = max(2, int(height / rng.uniform(2, 30)))
    coarse = rng.normal(rng.uniform(30, 225), rng.uniform(4, 40), (rows, columns))
    coarse = np.clip(coarse, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def _edges(rng: np.random.Generator, canvas: Gray) -> None:
    """Long straight edges and lines, as of tables, walls and cables."""
    height, width = canvas.shape
    for _ in range(int(rng.integers(1, 4))):
        a = rng.uniform(-0.3, 1.3, 2) * [width, height]
        angle = rng.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)]) * 2 * (width + height)
        if rng.random() < 0.5:
            normal = np.array([-direction[1], direction[0]])
            points = np.stack([a - direction, a + direction, a + direction + normal, a + normal])
            cv2.fillConvexPoly(canvas, points.astype(np.int32), tone(rng), cv2.LINE_AA)
        else:
            b, c = (a - direction).astype(int), (a + direction).astype(int)
            thickness = int(rng.integers(1, max(2, width // 12)))
            start, end = (int(b[0]), int(b[1])), (int(c[0]), int(c[1]))
            cv2.line(canvas, start, end, tone(rng), thickness, cv2.LINE_AA)


def _neighbours(rng: np.random.Generator, materials: Materials, canvas: Gray) -> None:
    """Other textured quadrilaterals lying about."""
    height, width = canvas.shape
    for _ in range(int(rng.integers(1, 4))):
        _, face = faces.random_texture(rng, materials, 40, 40)
        size = rng.uniform(0.2, 0.8) * min(width, height)
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (size * rng.uniform(0.2, 0.5, 2))
        quad = square @ turn.T + rng.normal(0, size * 0.05, (4, 2))
        quad = quad + rng.uniform(0, 1, 2) * [width, height]
        corners = np.array([(-0.5, -0.5), (39.5, -0.5), (39.5, 39.5), (-0.5, 39.5)], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, quad.astype(np.float32))
        cv2.warpPerspective(
            face, matrix, (width, height), dst=canvas, borderMode=cv2.BORDER_TRANSPARENT
        )


def desk_of_tone(
    rng: np.random.Generator, materials: Materials, width: int, height: int, value: float
) -> Gray:
    """Draw a nearly even desk of a given tone, perhaps with its edge and things on it."""
    slope = rng.normal(0, 12, 2)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(slope[0])
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(slope[1])
    level = np.float32(value + rng.normal(0, 14))
    canvas = np.clip(level + x[None] + y[:, None], 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _edges(rng, canvas)
    if rng.random() < 0.3:
        _neighbours(rng, materials, canvas)
    return canvas


def random_background(
    rng: np.random.Generator, materials: Materials, width: int, height: int
) -> Gray:
    """Draw a background.

    Returns:
        uint8, ``height`` × ``width``.
    """
    choice = rng.random()
    if choice < 0.45:
        canvas = photograph_crop(rng, materials, width, height)
    elif choice < 0.72:
        canvas = _gradient(rng, width, height)
    elif choice < 0.9:
        canvas = _grain(rng, width, height)
    else:
        canvas = np.ascontiguousarray(faces.random_texture(rng, materials, width, height)[1])
    canvas = np.ascontiguousarray(canvas)
    if rng.random() < 0.35:
        _edges(rng, canvas)
    if rng.random() < 0.3:
        _neighbours(rng, materials, canvas)
    return canvas
