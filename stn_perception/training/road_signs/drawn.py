# SPDX-License-Identifier: Apache-2.0
"""Signs drawn by this script: the diamond signs of small robot cities, and signs on doors."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Point = tuple[float, float]
Color = tuple[int, int, int]

SIDE_PX = 96
_FINE = 4 * SIDE_PX

_BLACK: Color = (22, 22, 20)
_WHITE: Color = (250, 250, 248)
_YELLOW: Color = (228, 205, 38)
_GREEN: Color = (0, 128, 72)
_BLUE: Color = (20, 70, 160)


class Canvas:
    """An RGBA square whose axes run from -1 to 1, x right and y down."""

    def __init__(self) -> None:
        self.pixels = np.zeros((_FINE, _FINE, 4), np.uint8)

    def _at(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        scaled = (points + 1) / 2 * _FINE - 0.5
        return np.asarray(np.round(scaled * 16), dtype=np.int32)

    def polygon(self, points: list[Point], color: Color) -> None:
        """Fill a polygon."""
        at = self._at(np.array(points, dtype=np.float64))
        cv2.fillPoly(self.pixels, [at], (*color, 255), cv2.LINE_AA, shift=4)

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], color)

    def stroke(self, points: list[Point], width: float, color: Color) -> None:
        """Draw a line through points with square ends."""
        for start, end in itertools.pairwise(points):
            a, b = np.array(start), np.array(end)
            along = (b - a) / np.linalg.norm(b - a)
            side = np.array([-along[1], along[0]]) * width / 2
            corners = [a - side, b - side, b + side, a + side]
            self.polygon([(float(p[0]), float(p[1])) for p in corners], color)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Fill a disc."""
        turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        self.polygon([(x + radius * np.cos(t), y + radius * np.sin(t)) for t in turns], color)

    def letters(self, text: str, top: float, bottom: float, width: float, color: Color) -> None:
        """Write one centred line of lettering that fits between two heights and a width."""
        font, weight = cv2.FONT_HERSHEY_SIMPLEX, 9
        scale = (bottom - top) / 2 * _FINE / 22
        (needed, _), _ = cv2.getTextSize(text, font, scale, weight)
        scale *= min(1.0, width / 2 * _FINE / needed)
        (needed, height), _ = cv2.getTextSize(text, font, scale, weight)
        middle = ((top + bottom) / 2 + 1) / 2 * _FINE
        origin = (int((_FINE - needed) / 2), int(middle + height / 2))
        cv2.putText(
            self.pixels, text, origin, font, scale, (*color, 255), int(8 * scale), cv2.LINE_AA
        )

    def finished(self) -> Picture:
        """Return the picture, RGBA uint8 ``SIDE_PX`` × ``SIDE_PX``."""
        alpha = self.pixels[..., 3:].astype(np.float32) / 255
        size = (SIDE_PX, SIDE_PX)
        shrunk = cv2.resize(
            np.concatenate([self.pixels[..., :3] * alpha, alpha], axis=2).astype(np.float32),
            size,
            interpolation=cv2.INTER_AREA,
        )
        color = shrunk[..., :3] / np.maximum(shrunk[..., 3:], 1e-3)
        pixels = np.concatenate([color, shrunk[..., 3:] * 255], axis=2)
        return np.asarray(np.clip(pixels + 0.5, 0, 255), dtype=np.uint8)


def _diamond() -> Canvas:
    canvas = Canvas()
    for size, color in ((1.0, _BLACK), (0.965, _YELLOW), (0.93, _BLACK), (0.905, _YELLOW)):
        canvas.polygon([(0, -size), (size, 0), (0, size), (-size, 0)], color)
    return canvas


def _junction(*arms: list[Point]) -> Picture:
    canvas = _diamond()
    for arm in arms:
        canvas.stroke(arm, 0.2, _BLACK)
    return canvas.finished()


def crossroads() -> Picture:
    """Four roads meet."""
    return _junction([(-0.6, 0), (0.6, 0)], [(0, -0.62), (0, 0.62)])


def t_junction() -> Picture:
    """The road ends at another one."""
    return _junction([(-0.52, -0.22), (0.52, -0.22)], [(0, -0.22), (0, 0.58)])


def right_junction() -> Picture:
    """A road leaves to the right."""
    return _junction([(-0.2, -0.58), (-0.2, 0.58)], [(-0.2, 0), (0.48, 0)])


def left_junction() -> Picture:
    """A road leaves to the left."""
    return _junction([(0.2, -0.58), (0.2, 0.58)], [(0.2, 0), (-0.48, 0)])


def traffic_light() -> Picture:
    """Traffic lights ahead."""
    canvas = _diamond()
    canvas.box(-0.24, -0.66, 0.24, 0.66, _BLACK)
    lamps: list[tuple[float, Color]] = [
        (-0.42, (206, 44, 60)),
        (0.0, (240, 200, 60)),
        (0.42, (20, 110, 80)),
    ]
    for y, color in lamps:
        canvas.disc(0, y, 0.18, color)
    return canvas.finished()


def stop_plain() -> Picture:
    """The red octagon without a white rim."""
    canvas = Canvas()
    turns = (np.arange(8) + 0.5) * np.pi / 4
    reach = 1 / np.cos(np.pi / 8)
    canvas.polygon([(reach * np.cos(t), reach * np.sin(t)) for t in turns], (200, 30, 48))
    canvas.letters("STOP", -0.33, 0.33, 1.72, _WHITE)
    return canvas.finished()


def _plate(color: Color, top: float = -0.62, bottom: float = 0.62) -> Canvas:
    canvas = Canvas()
    canvas.box(-1, top, 1, bottom, color)
    return canvas


def exit_plate() -> Picture:
    """EXIT in white on green."""
    canvas = _plate(_GREEN)
    canvas.letters("EXIT", -0.38, 0.38, 1.7, _WHITE)
    return canvas.finished()


def push() -> Picture:
    """PUSH in white on blue, over a chevron away from the reader."""
    canvas = _plate(_BLUE, -0.8, 0.8)
    canvas.letters("PUSH", -0.1, 0.6, 1.7, _WHITE)
    canvas.stroke([(-0.4, -0.25), (0, -0.6)], 0.16, _WHITE)
    canvas.stroke([(0, -0.6), (0.4, -0.25)], 0.16, _WHITE)
    return canvas.finished()


def pull() -> Picture:
    """PULL in black on yellow, under a bar."""
    canvas = _plate(_YELLOW, -0.8, 0.8)
    canvas.letters("PULL", -0.45, 0.3, 1.7, _BLACK)
    canvas.box(-0.7, 0.48, 0.7, 0.64, _BLACK)
    return canvas.finished()


def stairs() -> Picture:
    """Steps up to the right, white on blue."""
    canvas = Canvas()
    canvas.box(-1, -1, 1, 1, _BLUE)
    steps: list[Point] = [(-0.8, 0.75), (-0.8, 0.4), (-0.4, 0.4), (-0.4, 0.05), (0.0, 0.05)]
    steps += [(0.0, -0.3), (0.4, -0.3), (0.4, -0.65), (0.8, -0.65), (0.8, 0.75)]
    canvas.polygon(steps, _WHITE)
    return canvas.finished()


def men() -> Picture:
    """A standing figure, white on black."""
    canvas = Canvas()
    canvas.box(-1, -1, 1, 1, _BLACK)
    canvas.disc(0, -0.66, 0.18, _WHITE)
    canvas.box(-0.26, -0.42, 0.26, 0.16, _WHITE)
    for side in (-1.0, 1.0):
        canvas.stroke([(side * 0.36, -0.42), (side * 0.36, 0.16)], 0.12, _WHITE)
        canvas.stroke([(side * 0.14, 0.1), (side * 0.14, 0.86)], 0.2, _WHITE)
    return canvas.finished()


def women() -> Picture:
    """A standing figure in a dress, white on red."""
    canvas = Canvas()
    canvas.box(-1, -1, 1, 1, (170, 30, 90))
    canvas.disc(0, -0.66, 0.18, _WHITE)
    canvas.polygon([(-0.16, -0.42), (0.16, -0.42), (0.5, 0.36), (-0.5, 0.36)], _WHITE)
    for side in (-1.0, 1.0):
        canvas.stroke([(side * 0.24, -0.38), (side * 0.56, 0.14)], 0.12, _WHITE)
        canvas.stroke([(side * 0.14, 0.3), (side * 0.14, 0.86)], 0.16, _WHITE)
    return canvas.finished()


def lift() -> Picture:
    """Up and down arrows over a cabin with two people, black on white."""
    canvas = Canvas()
    canvas.box(-1, -1, 1, 1, _BLACK)
    canvas.box(-0.92, -0.92, 0.92, 0.92, _WHITE)
    canvas.polygon([(-0.5, -0.38), (-0.26, -0.8), (-0.02, -0.38)], _BLACK)
    canvas.polygon([(0.06, -0.8), (0.54, -0.8), (0.3, -0.38)], _BLACK)
    canvas.box(-0.62, -0.24, 0.62, 0.8, _BLACK)
    for x in (-0.28, 0.28):
        canvas.disc(x, -0.02, 0.12, _WHITE)
        canvas.box(x - 0.16, 0.14, x + 0.16, 0.72, _WHITE)
    return canvas.finished()


# Class of each drawing.
DRAWINGS: dict[str, Callable[[], Picture]] = {
    "crossroads": crossroads,
    "t_junction": t_junction,
    "right_junction": right_junction,
    "left_junction": left_junction,
    "traffic_light": traffic_light,
    "stop": stop_plain,
    "exit": exit_plate,
    "push": push,
    "pull": pull,
    "stairs": stairs,
    "men": men,
    "women": women,
    "lift": lift,
}
