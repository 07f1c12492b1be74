# SPDX-License-Identifier: Apache-2.0
"""A library of lone bodies with their masks, to paste into pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop.kinds import Kinds
from stn_perception.training.tabletop.oriented import hull_of
from stn_perception.training.tabletop.renderer import Camera, Renderer, looking_at
from stn_perception.training.tabletop.table_scene import resting

CUTOUT_PX = 112


@dataclass(frozen=True)
class Cutout:
    """One body in a picture of its own.

    Attributes:
        gray: uint8, S×S.
        mask: uint8, S×S: 255 where it is.
        outline: N×2 in pixels.
        kind: what it is.
    """

    gray: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    outline: NDArray[np.float64]
    kind: str


def cut_out(rng: np.random.Generator, renderer: Renderer, kinds: Kinds) -> Cutout:
    """Render one body so that it nearly fills its picture; mostly seen from well above."""
    body = kinds.draw(rng)
    placed = resting(rng, body)
    mesh = placed.mesh
    middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    radius = float(np.linalg.norm(mesh.vertices - middle, axis=1).max())
    distance = radius * float(rng.uniform(3.5, 9))
    pitch = np.radians(rng.uniform(75, 90) if rng.random() < 0.5 else rng.uniform(28, 80))
    rotation, position = looking_at(middle, distance, pitch, rng.uniform(0, 2 * np.pi), 0.0)
    # The near side of the body is nearer than its middle.
    focal = 0.46 * CUTOUT_PX * (distance - radius) / radius
    camera = Camera(rotation, position, focal, CUTOUT_PX)
    light = np.array([*rng.normal(0, 0.8, 2), 1.0])
    seen = renderer.render(
        [placed], camera, light, False, table=False, ambient=float(rng.uniform(0.3, 0.9))
    )
    mask = np.where(seen.owner == 0, 255, 0).astype(np.uint8)
    return Cutout(
        gray=_continued(np.clip(seen.gray, 0, 255).astype(np.uint8), mask),
        mask=mask,
        outline=hull_of(camera.project(mesh.vertices)),
        kind=body.kind,
    )


def _continued(gray: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Continue a body's tones beyond its mask, so that no rim shows where its edge is sampled."""
    for _ in range(3):
        known = cv2.blur((mask > 0).astype(np.float32), (3, 3))
        spread = cv2.blur(np.where(mask > 0, gray, 0).astype(np.float32), (3, 3))
        gray = np.where(mask > 0, gray, spread / np.maximum(known, 1e-3)).astype(np.uint8)
        mask = np.where(known > 0, 255, 0).astype(np.uint8)
    return gray


def build_cutouts(
    seed: int, count: int, kinds: Kinds, report: Callable[[int, int], None] = lambda d, t: None
) -> list[Cutout]:
    """Return a library; cutout i depends on seed and i alone."""
    library = []
    with Renderer() as renderer:
        for i in range(count):
            library.append(cut_out(np.random.default_rng([seed, 5, i]), renderer, kinds))
            if i % 200 == 199:
                report(i + 1, count)
    return library
