# SPDX-License-Identifier: Apache-2.0
"""A sign with what it is mounted on: nothing, a plate, a post, or a board with a fiducial."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.materials import Materials

Rgba = NDArray[np.uint8]

# Pixels per half side of the artwork, and what the canvas shows of the plane in half sides.
HALF_PX = 48
LEFT, TOP, RIGHT, BOTTOM = -2.0, -2.0, 2.0, 3.5

# Signs that mean something else when turned by a quarter: only their board says where up is.
NEED_A_BOARD = ("t_junction", "right_junction", "left_junction")
_OFTEN_ON_A_BOARD = {"crossroads": 0.85, "traffic_light": 0.85, "stop": 0.4}


def canvas_from_sign() -> NDArray[np.float64]:
    """Return the 3×3 matrix from axes in which the artwork spans -1 to 1 to canvas pixels."""
    return np.array(
        [(HALF_PX, 0, -LEFT * HALF_PX - 0.5), (0, HALF_PX, -TOP * HALF_PX - 0.5), (0, 0, 1.0)]
    )


def _box(
    canvas: Rgba, left: float, top: float, right: float, bottom: float, color: tuple[int, ...]
) -> None:
    """Fill an upright rectangle given in half sides of the artwork."""
    points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    at = (points - [LEFT, TOP]) * HALF_PX - 0.5
    cv2.fillPoly(canvas, [np.round(at * 16).astype(np.int32)], (*color, 255), cv2.LINE_AA, shift=4)


def _any_color(rng: np.random.Generator) -> tuple[int, ...]:
    if rng.random() < 0.6:
        gray = int(rng.integers(20, 256))
        return tuple(int(np.clip(gray + rng.normal(0, 8), 0, 255)) for _ in range(3))
    return tuple(int(v) for v in rng.integers(0, 256, 3))


def _fiducial(rng: np.random.Generator, materials: Materials, side: int) -> NDArray[np.uint8]:
    name = materials.dictionaries[rng.integers(len(materials.dictionaries))]
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    number = int(rng.integers(len(dictionary.bytesList)))
    tag = cv2.aruco.generateImageMarker(dictionary, number, side)
    return np.asarray(30 + tag.astype(np.float32) * (220 / 255), dtype=np.uint8)


def _robot_board(rng: np.random.Generator, materials: Materials, canvas: Rgba) -> None:
    """A white board that stands on its short side: the sign above a square fiducial."""
    half = rng.uniform(1.1, 1.35)
    gap, tag_half = rng.uniform(0.04, 0.4), rng.uniform(0.85, 1.05)
    tag_half = min(tag_half, half - 0.05)
    middle = 1 + gap + tag_half
    white = int(rng.integers(225, 256))
    _box(
        canvas,
        -half,
        -1 - rng.uniform(0.05, 0.45),
        half,
        middle + tag_half + rng.uniform(0.05, 0.3),
        (white, white, white),
    )
    side = round(2 * tag_half * HALF_PX)
    x = round((-tag_half - LEFT) * HALF_PX + rng.normal(0, 1.5))
    y = round((middle - tag_half - TOP) * HALF_PX)
    tag = _fiducial(rng, materials, side)
    part = canvas[y : y + side, x : x + side]
    part[..., :3] = tag[: part.shape[0], : part.shape[1], None]


def _is_on_robot_board(rng: np.random.Generator, name: str) -> bool:
    if name in NEED_A_BOARD:
        return True
    return bool(rng.random() < _OFTEN_ON_A_BOARD.get(name, 0.05))


def mounted(
    rng: np.random.Generator, materials: Materials, name: str, artwork: Rgba
) -> tuple[Rgba, bool]:
    """Draw the plane around an artwork.

    Args:
        rng: source of all randomness.
        materials: which fiducials may appear.
        name: class of the artwork.
        artwork: uint8 S×S×4.

    Returns:
        The canvas, uint8 with colours multiplied by opacity; and whether its surroundings tell
        where up is.
    """
    height, width = round((BOTTOM - TOP) * HALF_PX), round((RIGHT - LEFT) * HALF_PX)
    canvas = np.zeros((height, width, 4), np.uint8)
    on_board = _is_on_robot_board(rng, name)
    if on_board:
        _robot_board(rng, materials, canvas)
    elif rng.random() < 0.3:
        reach = 1 + rng.uniform(0.02, 0.5, 4)
        _box(canvas, -reach[0], -reach[1], reach[2], reach[3], _any_color(rng))
    elif rng.random() < 0.2:
        half, x = rng.uniform(0.04, 0.12), rng.normal(0, 0.03)
        _box(canvas, x - half, 0.5, x + half, BOTTOM, _any_color(rng))
    if artwork.shape[0] != 2 * HALF_PX:
        size = (2 * HALF_PX, 2 * HALF_PX)
        artwork = np.asarray(cv2.resize(artwork, size, interpolation=cv2.INTER_LINEAR))
    x, y = round(-(1 + LEFT) * HALF_PX), round(-(1 + TOP) * HALF_PX)
    part = canvas[y : y + 2 * HALF_PX, x : x + 2 * HALF_PX]
    opacity = artwork[..., 3:].astype(np.uint16)
    color = artwork[..., :3] * opacity
    part[..., :3] = (color + part[..., :3] * (255 - opacity)) // 255
    part[..., 3:] = opacity + part[..., 3:] * (255 - opacity) // 255
    return canvas, on_board
