# SPDX-License-Identifier: Apache-2.0
"""4K frames with one sign somewhere, drawn at full resolution and shrunk from there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.highres.backdrops import (
    FACTORS,
    HEIGHT_PX,
    WIDTH_PX,
    Backdrop,
    Gray,
    backdrops,
    shrunk,
)

LEAST_SIDE_PX, MOST_SIDE_PX = 60.0, 160.0
MOST_ANGLE_RAD = math.radians(30)
# Holds the largest sign at any angle, and is a whole number of every shrunk frame's pixels.
_PATCH_PX = 256
_TEXTURE_PX, _RIM_PX, _DIGIT_PX = 128, 6, 104


@dataclass(frozen=True)
class SignPose:
    """How a sign lies in its frame.

    Attributes:
        center_px: (x, y) in frame pixels.
        side_px: Of the square sign.
        angle_rad: Positive from +x towards +y.
    """

    center_px: tuple[float, float]
    side_px: float
    angle_rad: float


@dataclass(frozen=True, eq=False)
class Frame:
    """A backdrop with a sign; its pixels are made when they are asked for.

    Attributes:
        backdrop: The picture behind.
        patch: uint8 256×256, the sign and what is about it.
        corner_px: (x, y) of the patch's first pixel, multiples of the largest factor.
        pose: Of the sign.
        label: The digit on it.
    """

    backdrop: Backdrop
    patch: Gray
    corner_px: tuple[int, int]
    pose: SignPose
    label: int

    def pixels(self, factor: int = 1) -> Gray:
        """Return the whole frame, shrunk by one of the factors."""
        height, width = HEIGHT_PX // factor, WIDTH_PX // factor
        return self.window(0, 0, width, height, factor)

    def window(self, left: int, top: int, width: int, height: int, factor: int = 1) -> Gray:
        """Return a part of the frame shrunk by a factor, in pixels of the shrunk frame."""
        found = self.backdrop.levels[factor][top : top + height, left : left + width].copy()
        patch = shrunk(self.patch, factor)
        x, y = self.corner_px[0] // factor - left, self.corner_px[1] // factor - top
        side = len(patch)
        first_x, last_x = max(x, 0), min(x + side, width)
        first_y, last_y = max(y, 0), min(y + side, height)
        if first_x < last_x and first_y < last_y:
            found[first_y:last_y, first_x:last_x] = patch[
                first_y - y : last_y - y, first_x - x : last_x - x
            ]
        return found


def draw_frames(split: Split, count: int, rng: np.random.Generator) -> list[Frame]:
    """Return frames with signs of the split's own digits and backdrops."""
    digits, behind = upright_digits(split), backdrops(split)
    chosen = rng.integers(len(digits.labels), size=count)
    return [
        _frame(
            behind[rng.integers(len(behind))],
            digits.images[index].numpy(),
            int(digits.labels[index]),
            rng,
        )
        for index in chosen
    ]


def _frame(backdrop: Backdrop, digit: Gray, label: int, rng: np.random.Generator) -> Frame:
    room = _PATCH_PX // 2
    center = (rng.uniform(room, WIDTH_PX - room), rng.uniform(room, HEIGHT_PX - room))
    side_px = math.exp(rng.uniform(math.log(LEAST_SIDE_PX), math.log(MOST_SIDE_PX)))
    pose = SignPose(center, side_px, rng.uniform(-MOST_ANGLE_RAD, MOST_ANGLE_RAD))
    cell = max(FACTORS)
    left, top = (
        min(round((at - room) / cell) * cell, size - _PATCH_PX)
        for at, size in zip(center, (WIDTH_PX, HEIGHT_PX), strict=True)
    )
    behind = backdrop.levels[1][top : top + _PATCH_PX, left : left + _PATCH_PX]
    patch = _with_sign(behind, _sign(digit, rng), pose, (left, top), rng)
    return Frame(backdrop, patch, (left, top), pose, label)


def _sign(digit: Gray, rng: np.random.Generator) -> NDArray[np.float32]:
    """A light square with a dark rim and a dark digit, texels of grey levels."""
    face, ink, rim = rng.uniform(170, 250), rng.uniform(10, 80), rng.uniform(10, 120)
    large = cv2.resize(digit, (_DIGIT_PX, _DIGIT_PX), interpolation=cv2.INTER_CUBIC)
    texture = np.full((_TEXTURE_PX, _TEXTURE_PX), rim, np.float32)
    texture[_RIM_PX:-_RIM_PX, _RIM_PX:-_RIM_PX] = face
    first = (_TEXTURE_PX - _DIGIT_PX) // 2
    inside = texture[first : first + _DIGIT_PX, first : first + _DIGIT_PX]
    inside += (ink - face) * np.clip(large.astype(np.float32) / 255, 0, 1)
    return texture


def _with_sign(
    behind: Gray,
    texture: NDArray[np.float32],
    pose: SignPose,
    corner_px: tuple[int, int],
    rng: np.random.Generator,
) -> Gray:
    side = math.ceil(pose.side_px)
    # Shrunk first, so that the warp itself neither shrinks nor aliases.
    sized = cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA)
    scale = pose.side_px / side
    cosine, sine = scale * math.cos(pose.angle_rad), scale * math.sin(pose.angle_rad)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    at = np.array(pose.center_px) - corner_px
    matrix = np.column_stack([linear, at - linear @ np.full(2, (side - 1) / 2)])
    size = (_PATCH_PX, _PATCH_PX)
    seen = cv2.warpAffine(sized, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(np.ones_like(sized), matrix, size)
    noise = 3.0 * rng.standard_normal(seen.shape, np.float32)
    picture = behind + cover * (seen + noise - behind)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
