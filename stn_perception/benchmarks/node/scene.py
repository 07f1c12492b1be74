# SPDX-License-Identifier: Apache-2.0
"""Pictures with tilted labels that move a little from frame to frame, and their boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_PATTERN_PX = 96
_CYCLE_FRAMES = 8
_SHARE_OF_CELL = 0.62


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame.

    Attributes:
        pixels: uint8 H×W×3, rgb.
        boxes: Centre x, centre y, width and height of each label in pixels.
    """

    pixels: NDArray[np.uint8]
    boxes: tuple[tuple[float, float, float, float], ...]


def pictures(width: int, height: int, objects: int, seed: int = 0) -> list[Picture]:
    """A short cycle of frames of one camera, to be sent round and round.

    Args:
        width: Of the frames, in pixels.
        height: Of the frames, in pixels.
        objects: Labels in each frame, on a grid.
        seed: Other pictures for another camera.
    """
    generator = np.random.default_rng(seed)
    coarse = generator.integers(60, 120, (height // 40, width // 40, 3), dtype=np.uint8)
    background = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    labels = [_label(generator) for _ in range(objects)]
    turns_rad = generator.uniform(-0.5, 0.5, objects)
    return [
        _picture(np.asarray(background, np.uint8), labels, turns_rad, number)
        for number in range(_CYCLE_FRAMES)
    ]


def _label(generator: np.random.Generator) -> NDArray[np.uint8]:
    """A bright square with dark print."""
    label = np.full((_PATTERN_PX, _PATTERN_PX, 3), 235, np.uint8)
    for _ in range(10):
        x, y = generator.integers(12, _PATTERN_PX - 30, 2)
        w, h = generator.integers(8, 22, 2)
        color = generator.integers(0, 150, 3).tolist()
        cv2.rectangle(label, (int(x), int(y)), (int(x + w), int(y + h)), color, -1)
    return label


def _picture(
    background: NDArray[np.uint8],
    labels: list[NDArray[np.uint8]],
    turns_rad: NDArray[np.float64],
    number: int,
) -> Picture:
    pixels, boxes = background.copy(), []
    height, width = pixels.shape[:2]
    columns = math.ceil(math.sqrt(len(labels)))
    rows = math.ceil(len(labels) / columns)
    cell = min(width / columns, height / rows)
    sway = math.sin(2 * math.pi * number / _CYCLE_FRAMES)
    for index, (label, turn_rad) in enumerate(zip(labels, turns_rad, strict=True)):
        center = (
            width * (index % columns + 0.5) / columns + 0.02 * cell * sway,
            height * (index // columns + 0.5) / rows,
        )
        corners = _corners(center, _SHARE_OF_CELL * cell / 2, turn_rad + 0.05 * sway)
        _paste(pixels, label, corners)
        low, high = corners.min(axis=0), corners.max(axis=0)
        (x, y), (w, h) = (low + high) / 2, high - low
        boxes.append((float(x), float(y), float(w), float(h)))
    return Picture(pixels, tuple(boxes))


def _corners(center: tuple[float, float], half: float, turn_rad: float) -> NDArray[np.float32]:
    """Corners of a square, turned and seen a little from the side."""
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) * half
    square[:, 1] *= 0.85
    square[:2, 0] *= 0.85
    cos, sin = math.cos(turn_rad), math.sin(turn_rad)
    turned = square @ np.array([(cos, sin), (-sin, cos)]) * 0.8
    return np.asarray(turned + np.array(center), np.float32)


def _paste(
    pixels: NDArray[np.uint8], label: NDArray[np.uint8], corners: NDArray[np.float32]
) -> None:
    height, width = pixels.shape[:2]
    side = _PATTERN_PX - 0.5
    own = np.array([(-0.5, -0.5), (side, -0.5), (side, side), (-0.5, side)], np.float32)
    transform = cv2.getPerspectiveTransform(own, corners)
    flags = cv2.INTER_LINEAR
    drawn = cv2.warpPerspective(label, transform, (width, height), flags=flags)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners * 16).astype(np.int32), 255, shift=4)
    np.copyto(pixels, drawn, where=mask[:, :, None] > 0)
