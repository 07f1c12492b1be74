# SPDX-License-Identifier: Apache-2.0
"""What light, lens and sensor do to a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.signs import Gray

Light = NDArray[np.float32]


def _plane(rng: np.random.Generator, width: int, height: int) -> Light:
    """A ramp through the picture's middle with values of about ±1 at its borders."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    return x[None] + y[:, None]


def add_light(rng: np.random.Generator, picture: Light) -> Light:
    """Apply a lighting gradient, perhaps a shadow's edge and perhaps gloss, to a float picture."""
    height, width = picture.shape
    if rng.random() < 0.5:
        picture = picture * (1 + np.float32(rng.uniform(0, 0.45)) * _plane(rng, width, height))
    if rng.random() < 0.2:
        depth, soft = rng.uniform(0.2, 0.7), rng.uniform(0.02, 0.4)
        ramp = (_plane(rng, width, height) + np.float32(rng.uniform(-0.7, 0.7))) / np.float32(soft)
        picture = picture * (1 - np.float32(depth) * np.clip(ramp + 0.5, 0, 1))
    if rng.random() < 0.15:
        x = np.linspace(-1, 1, width, dtype=np.float32) - np.float32(rng.uniform(-1, 1))
        y = np.linspace(-1, 1, height, dtype=np.float32) - np.float32(rng.uniform(-1, 1))
        spread = np.float32(rng.uniform(0.1, 0.5) ** 2 * 2)
        glow = np.exp(-(y**2) / spread)[:, None] * np.exp(-(x**2) / spread)[None]
        picture = picture + np.float32(rng.uniform(40, 200)) * glow
    return picture


def occlude(
    rng: np.random.Generator, picture: Light, corners: NDArray[np.float64], fill: Gray
) -> Light:
    """Cover a small part of the object with a stick, a blob or a thing at its edge."""
    height, width = picture.shape
    side = float(np.sqrt(np.ptp(corners[:, 0]) * np.ptp(corners[:, 1])))
    mask = np.zeros((height, width), np.uint8)
    edge = int(rng.integers(4))
    along = rng.random()
    at = corners[edge] * (1 - along) + corners[(edge + 1) % 4] * along
    if rng.random() < 0.5:
        points = at + rng.normal(0, 0.09 * side, (int(rng.integers(3, 7)), 2))
        points = cv2.convexHull(points.astype(np.float32))[:, 0]
        cv2.fillConvexPoly(mask, np.round(points).astype(np.int32), 255, cv2.LINE_AA)
    else:
        outwards = at - corners.mean(axis=0)
        start = at - outwards * rng.uniform(0, 0.35) + rng.normal(0, 0.05 * side, 2)
        end = at + outwards * rng.uniform(0.3, 2)
        thickness = max(1, int(side * rng.uniform(0.02, 0.13)))
        a, b = np.round(start).astype(int), np.round(end).astype(int)
        cv2.line(mask, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 255, thickness, cv2.LINE_AA)
    cover = mask.astype(np.float32) / 255
    value = fill.astype(np.float32) if rng.random() < 0.4 else np.float32(rng.uniform(0, 255))
    return np.asarray(picture * (1 - cover) + value * cover, dtype=np.float32)


def blur(rng: np.random.Generator, picture: Light, side: float) -> Light:
    """Defocus and motion, at most a few hundredths of the object's side."""
    if rng.random() < 0.6:
        sigma = min(float(np.exp(rng.uniform(np.log(0.3), np.log(2.2)))), 0.03 * side)
        if sigma > 0.25:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.float32)
    if rng.random() < 0.15:
        length = max(2.0, min(rng.uniform(2, 8), 0.08 * side))
        size = 2 * int(np.ceil(length / 2)) + 3
        angle = rng.uniform(0, np.pi)
        step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        centre = np.array([(size - 1) / 2] * 2)
        kernel = np.zeros((size, size), np.float32)
        a, b = (
            np.round((centre - step) * 16).astype(int),
            np.round((centre + step) * 16).astype(int),
        )
        cv2.line(
            kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 1.0, 1, cv2.LINE_AA, shift=4
        )
        # The drawn line may sit a little off; centring it keeps the truth exact.
        kernel = kernel + kernel[::-1, ::-1]
        blurred = cv2.filter2D(picture, -1, kernel / kernel.sum())
        picture = np.asarray(blurred, dtype=np.float32)
    return picture


def dark_border(rng: np.random.Generator, picture: Light) -> Light:
    """Blacken one side along a curve, as the edge of a rectified wide-angle picture."""
    height, width = picture.shape
    radius = (width + height) * rng.uniform(0.6, 4)
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.62, 1.0) * 0.5 * np.hypot(width, height)
    inside = rng.random() < 0.5
    sign = -1 if inside else 1
    centre = np.array([width, height]) / 2 + sign * np.array([np.cos(angle), np.sin(angle)]) * (
        radius + sign * reach
    )
    mask = np.full((height, width), 255 if inside else 0, np.uint8)
    at = np.clip(np.round(centre), -30000, 30000).astype(int)
    cv2.circle(mask, (int(at[0]), int(at[1])), int(radius), 0 if inside else 255, -1)
    picture[mask > 0] = rng.uniform(0, 8)
    return picture


def end_frame(rng: np.random.Generator, pixels: Gray, corners: NDArray[np.float64]) -> Gray:
    """Let the picture end just outside the object, in exact black as beyond a frame.

    Half of the ends run along the frame's axes, as a frame's own borders do; the others along
    the object's edges, as in a picture that was turned or rectified before.
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    if rng.random() < 0.5:
        base = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    else:
        base = corners
    # Each edge moves outwards on its own; some are too far out to be seen.
    shifts = np.where(rng.random(4) < 0.35, 3.0, rng.uniform(0.0, 0.35, 4) ** 1.3)
    keep = np.ones(pixels.shape, bool)
    y, x = np.indices(pixels.shape)
    size = float(np.sqrt(np.prod(high - low)))
    turn = rng.normal(0, 0.03)
    for i in range(4):
        start, end = base[i], base[(i + 1) % 4]
        along = (end - start) / np.linalg.norm(end - start)
        along = along + turn * np.array([-along[1], along[0]])
        inwards = np.array([-along[1], along[0]])
        keep &= (x - start[0]) * inwards[0] + (y - start[1]) * inwards[1] > -shifts[i] * size
    return np.where(keep, pixels, 0).astype(np.uint8)


def expose(rng: np.random.Generator, picture: Light) -> Light:
    """Set contrast and brightness, down to low."""
    if rng.random() < 0.5:
        mean = np.float32(picture.mean())
        contrast = np.float32(np.exp(rng.uniform(np.log(0.25), np.log(1.3))))
        level = np.float32(mean + rng.normal(0, 30))
        picture = level + (picture - mean) * contrast
    return picture


def record(rng: np.random.Generator, picture: Light) -> Gray:
    """Add sensor noise, quantise, and perhaps compress as JPEG."""
    if rng.random() < 0.8:
        sigma = np.float32(np.exp(rng.uniform(np.log(0.5), np.log(12))))
        noise = rng.standard_normal(picture.shape, dtype=np.float32)
        if rng.random() < 0.3:
            noise = cv2.GaussianBlur(noise, (3, 3), 0.7) * 1.7
        picture = picture + sigma * noise
    pixels = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 96))
        _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return np.asarray(pixels, dtype=np.uint8)
