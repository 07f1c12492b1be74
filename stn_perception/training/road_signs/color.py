# SPDX-License-Identifier: Apache-2.0
"""Colour photographs, and what light and a colour camera do to a picture."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes import degradations
from stn_perception.training.scenes.materials import Materials
from stn_perception.training.scenes.skimage_photographs import read_photograph

Rgb = NDArray[np.uint8]
Light = NDArray[np.float32]


@functools.cache
def photograph(name: str) -> Rgb:
    """Return one of scikit-image's photographs, uint8 H×W×3; gray ones have equal channels.

    Raises:
        FileNotFoundError: scikit-image or the file in it is not installed.
    """
    pixels = read_photograph(name, cv2.IMREAD_COLOR)
    longest = max(pixels.shape[:2])
    if longest > 640:
        scale = 640 / longest
        pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale), dtype=np.uint8)
    return np.ascontiguousarray(pixels[..., ::-1])


def photograph_crop(
    rng: np.random.Generator, materials: Materials, width: int, height: int
) -> Rgb:
    """Cut a random part of a random photograph, mirrored at random."""
    source = photograph(materials.photographs[rng.integers(len(materials.photographs))])
    part_side = int(np.exp(rng.uniform(np.log(24), np.log(min(source.shape[:2])))))
    x = int(rng.integers(source.shape[1] - part_side + 1))
    y = int(rng.integers(source.shape[0] - part_side + 1))
    part = source[y : y + part_side, x : x + part_side]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    mode = cv2.INTER_AREA if part_side > max(width, height) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=mode))


def tinted(rng: np.random.Generator, gray: NDArray[np.uint8]) -> Rgb:
    """Print a gray picture in two random inks, H×W×3."""
    ink = rng.uniform(0, 255, 3)
    paper = 255 - ink if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    share = gray[..., None].astype(np.float32) / 255
    return (ink + (paper - ink) * share).astype(np.uint8)


def background(rng: np.random.Generator, materials: Materials, width: int, height: int) -> Rgb:
    """Draw what is behind the sign: a photograph, an even wall, or coarse texture."""
    choice = rng.random()
    if choice < 0.6:
        return photograph_crop(rng, materials, width, height)
    base, noise = rng.uniform(5, 250, 3), rng.uniform(2, 40)
    if rng.random() < 0.6:
        base = np.clip(rng.uniform(10, 245) + rng.normal(0, 10, 3), 0, 255)
    coarse = 2 if choice < 0.8 else int(rng.integers(3, 12))
    cells = (
        base + rng.normal(0, noise, (coarse, coarse, 1)) + rng.normal(0, 4, (coarse, coarse, 3))
    )
    small = np.clip(cells, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def occlude(rng: np.random.Generator, picture: Light, corners: NDArray[np.float64]) -> Light:
    """Cover a small part of a square with a stick or a blob that reaches in from its edge."""
    side = float(np.sqrt(np.ptp(corners[:, 0]) * np.ptp(corners[:, 1])))
    edge, along = int(rng.integers(4)), rng.random()
    at = corners[edge] * (1 - along) + corners[(edge + 1) % 4] * along
    mask = np.zeros(picture.shape[:2], np.uint8)
    outwards = at - corners.mean(axis=0)
    start = at - outwards * rng.uniform(0, 0.4)
    if rng.random() < 0.5:
        radius = max(1, int(side * rng.uniform(0.05, 0.14)))
        cv2.circle(mask, (int(start[0]), int(start[1])), radius, 255, -1, cv2.LINE_AA)
    else:
        end = at + outwards * rng.uniform(0.5, 2)
        thickness = max(1, int(side * rng.uniform(0.03, 0.12)))
        a, b = np.round(start).astype(int), np.round(end).astype(int)
        cv2.line(mask, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 255, thickness, cv2.LINE_AA)
    cover = mask[..., None].astype(np.float32) / 255
    value = rng.uniform(0, 255, 3).astype(np.float32)
    return np.asarray(picture * (1 - cover) + value * cover, dtype=np.float32)


def lit(rng: np.random.Generator, picture: Light) -> Light:
    """Apply light of some colour and strength, with gradient, shadow or gloss."""
    height, width = picture.shape[:2]
    gain = degradations.add_light(rng, np.full((height, width), 128, np.float32)) / 128
    strength = float(np.exp(rng.uniform(np.log(0.3), np.log(1.3))))
    tint = np.exp(rng.normal(0, 0.12, 3)) * strength
    saturation = rng.uniform(0.45, 1.15)
    mixing = (np.full((3, 3), (1 - saturation) / 3) + saturation * np.eye(3)) @ np.diag(tint)
    mixed = cv2.transform(picture, mixing.astype(np.float32))
    return np.asarray(mixed * gain[..., None], dtype=np.float32)


def recorded(rng: np.random.Generator, picture: Light, side: float, severity: float) -> Rgb:
    """Blur, set contrast, add noise, quantise, and perhaps compress."""
    if severity > 0:
        picture = degradations.blur(rng, picture, side * severity)
    if rng.random() < 0.4:
        mean = np.float32(picture.mean())
        contrast = np.float32(np.exp(rng.uniform(np.log(0.45), np.log(1.2))))
        picture = mean + np.float32(rng.normal(0, 20)) + (picture - mean) * contrast
    if rng.random() < 0.8:
        sigma = np.float32(severity * np.exp(rng.uniform(np.log(0.5), np.log(9))))
        picture = picture + sigma * rng.standard_normal(picture.shape, dtype=np.float32)
    pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = int(rng.integers(40, 96))
        _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1]
    return np.ascontiguousarray(pixels)
