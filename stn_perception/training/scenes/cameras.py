# SPDX-License-Identifier: Apache-2.0
"""Random views of a rectangle in space by a pinhole camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rotation(axis: NDArray[np.float64], angle_rad: float) -> NDArray[np.float64]:
    """Return the rotation about a unit axis (Rodrigues' formula), 3×3."""
    x, y, z = axis
    cross = np.array([(0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)])
    turned = np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * (cross @ cross)
    return np.asarray(turned, dtype=np.float64)


def random_projection(rng: np.random.Generator, aspect: float) -> NDArray[np.float64] | None:
    """Project a rectangle seen from somewhere in front of it.

    Args:
        rng: source of randomness.
        aspect: the rectangle's width over its height.

    Returns:
        Corners 4×2 clockwise on the screen, in no particular unit, or None where the rectangle
        is seen too much from the side or is partly behind the camera.
    """
    width, height = np.sqrt(aspect), 1 / np.sqrt(aspect)
    half = np.array([width, height]) / 2
    corners = np.zeros((4, 3))
    corners[:, :2] = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    choice = rng.random()
    tilt = abs(rng.normal(0, np.deg2rad(12))) if choice < 0.3 else np.deg2rad(rng.uniform(0, 73))
    direction = rng.uniform(0, 2 * np.pi)
    tilting = rotation(np.array([np.cos(direction), np.sin(direction), 0.0]), tilt)
    # Standing and lying rectangles are common: a good part is turned by little or by quarters.
    roll = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.3:
        roll = rng.normal(0, np.deg2rad(6)) + np.pi / 2 * rng.integers(4)
    rolling = rotation(np.array([0.0, 0.0, 1.0]), roll)
    distance = float(np.hypot(width, height)) * float(np.exp(rng.uniform(np.log(1.0), np.log(12))))
    offset = rng.uniform(-0.6, 0.6, 2) * distance
    points = corners @ (rolling @ tilting).T + [offset[0], offset[1], distance]
    if points[:, 2].min() < 0.15 * distance:
        return None
    projected = points[:, :2] / points[:, 2:]
    edges = np.linalg.norm(np.roll(projected, -1, axis=0) - projected, axis=1)
    x, y = projected[:, 0], projected[:, 1]
    area = 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
    if area <= 0.12 * edges.max() ** 2 or edges.min() < 0.14 * edges.max():
        return None
    return np.asarray(projected, dtype=np.float64)
