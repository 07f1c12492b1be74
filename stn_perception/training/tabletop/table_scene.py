# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes: bodies on a table under top and oblique cameras, with light and clutter."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes.backgrounds import random_background
from stn_perception.training.scenes.materials import Materials, photograph_crop
from stn_perception.training.tabletop.bodies import Body
from stn_perception.training.tabletop.kinds import Kinds
from stn_perception.training.tabletop.labelling import labels
from stn_perception.training.tabletop.renderer import (
    Camera,
    Placed,
    Renderer,
    Rendering,
    looking_at,
)
from stn_perception.training.tabletop.sample import Scene
from stn_perception.training.tabletop.visibility import (
    PICTURE_PX,
    Light,
    photographed,
    shows_all_round,
    stands_out,
)

# Steps per pixel at which hidden shares of scored objects are measured.
_FINE = 4

Matrix = NDArray[np.float64]


def resting(rng: np.random.Generator, body: Body) -> Placed:
    """Lay a body on one of its hull's faces, likelier on a large one, turned at random."""
    turn = np.eye(3)
    if body.lies and rng.random() < 0.9:
        hull = body.whole.hull
        points = hull.points[hull.simplices]
        areas = np.linalg.norm(
            np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1
        )
        down = hull.equations[rng.choice(len(areas), p=areas / areas.sum()), :3]
        turn = _turn_down(down)
    yaw = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)]) @ turn
    low = (body.whole.vertices @ turn[2]).min()
    return Placed(body, turn, np.array([0, 0, -low]))


def _turn_down(direction: Matrix) -> Matrix:
    """A rotation that takes a unit vector to -z."""
    down = np.array([0, 0, -1.0])
    axis = np.cross(direction, down)
    sine, cosine = float(np.linalg.norm(axis)), float(direction @ down)
    if sine < 1e-9:
        return np.eye(3) if cosine > 0 else np.diag([1.0, -1.0, -1.0])
    x, y, z = axis / sine
    cross = np.array([(0, -z, y), (z, 0, -x), (-y, x, 0)])
    return np.asarray(np.eye(3) + sine * cross + (1 - cosine) * cross @ cross)


def random_camera(rng: np.random.Generator, object_px: float) -> Camera:
    """Draw a camera under which a body of 0.1 m is about ``object_px`` long.

    Pitch from 25° to straight down, fields of view from 20° to 75°, any roll.
    """
    half_view = np.radians(rng.uniform(10, 37.5))
    focal = PICTURE_PX / 2 / np.tan(half_view)
    distance = max(0.3, focal * 0.1 / object_px)
    top = rng.random() < 0.4
    pitch = np.radians(rng.uniform(80, 90) if top else rng.uniform(25, 85))
    rotation, position = looking_at(
        np.array([0, 0, 0.02]), distance, pitch, rng.uniform(0, 2 * np.pi), rng.normal(0, 0.3)
    )
    return Camera(rotation, position, focal, PICTURE_PX)


def _scatter(
    rng: np.random.Generator, bodies: Sequence[Body], half_extent_m: float
) -> list[Placed]:
    """Lay bodies about, close to each other, some on top of others."""
    placed: list[Placed] = []
    taken: list[tuple[Matrix, float]] = []
    crowd = rng.uniform(0.45, 1.1)
    for body in bodies:
        one = resting(rng, body)
        flat = one.mesh.vertices[:, :2]
        middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
        radius = float(np.linalg.norm(flat - middle, axis=1).max())
        for _ in range(12):
            at = rng.uniform(-1, 1, 2) * half_extent_m
            near = [np.linalg.norm(at - other) / (radius + r) for other, r in taken]
            if not near or min(near) > crowd:
                break
        height = 0.0
        if near and min(near) < 0.7:
            height = max(p.mesh.vertices[:, 2].max() for p in placed)
        taken.append((at, radius))
        placed.append(Placed(body, one.rotation, one.shift + np.array([*(at - middle), height])))
    return placed


def _textured(
    rng: np.random.Generator,
    materials: Materials,
    rendering: Rendering,
    placed: Sequence[Placed],
    camera: Camera,
) -> Light:
    """Print photographs onto some bodies, where their surface points lie in their own axes."""
    gray = rendering.gray.copy()
    size = camera.size_px
    for place, one in enumerate(placed):
        if rng.random() > 0.4:
            continue
        rows, columns = np.nonzero(rendering.owner == place)
        if not len(rows):
            continue
        middle = (size - 1) / 2
        depth = rendering.depth_m[rows, columns].astype(np.float64)
        own = np.stack([columns - middle, rows - middle, np.full(len(rows), camera.focal_px)], 1)
        world = own * (depth / camera.focal_px)[:, None] @ camera.rotation + camera.position
        local = (world - one.shift) @ one.rotation
        face = photograph_crop(rng, materials, 64, 64).astype(np.float32)
        # A slanted projection prints on every face; no face of a box lies along it.
        at = (local[:, :2] + local[:, 2:] * [0.43, 0.67]) * rng.uniform(200, 1200) + 1000
        print_ = face[at[:, 1].astype(int) % 64, at[:, 0].astype(int) % 64]
        strength = np.float32(rng.uniform(0.2, 0.9))
        factor = 1 + strength * (print_ / np.float32(max(float(face.mean()), 1.0)) - 1)
        gray[rows, columns] *= factor
    return gray


def _table_top(
    rng: np.random.Generator, materials: Materials, camera: Camera, width_m: float
) -> Light:
    """The table's print under the camera, or a backdrop that knows no perspective."""
    size = camera.size_px
    if rng.random() < 0.4:
        return random_background(rng, materials, size, size).astype(np.float32)
    top = random_background(rng, materials, size, size)
    square = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]) * width_m * 0.75
    corners = np.array([(0, 0), (size, 0), (size, size), (0, size)], np.float32) - 0.5
    ahead = (square - camera.position) @ camera.rotation[2] > 0.05
    if not ahead.all():
        return top.astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, camera.project(square).astype(np.float32))
    seen = cv2.warpPerspective(
        top, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(seen, dtype=np.float32)


def table_scene(
    rng: np.random.Generator,
    renderer: Renderer,
    kinds: Kinds,
    materials: Materials,
    scored: bool = False,
) -> Scene:
    """Draw a scene.

    Args:
        rng: source of all randomness.
        renderer: the world to render in.
        kinds: bodies to lay about.
        materials: what table and prints are made of.
        scored: whether ``hidden`` is measured exactly and only objects count that show all round
            (see ``silhouette_area_px`` and ``shows_all_round``).
    """
    object_px = float(rng.uniform(40, 95))
    camera = random_camera(rng, object_px)
    half_extent = 0.1 * PICTURE_PX / object_px * 0.42
    count = int(np.clip((2 * half_extent / 0.1) ** 2 * rng.uniform(0.35, 0.9), 2, 9))
    placed = _scatter(rng, [kinds.draw(rng) for _ in range(count)], half_extent)
    light = np.array([*rng.normal(0, 0.6, 2), 1.0])
    rendering = renderer.render(
        placed, camera, light, bool(rng.random() < 0.6), ambient=float(rng.uniform(0.35, 0.8))
    )
    gray = _textured(rng, materials, rendering, placed, camera)
    bare = rendering.owner < 0
    top = _table_top(rng, materials, camera, 2 * half_extent)
    shade = np.where(rendering.owner == -1, gray / np.float32(255), np.float32(1))
    picture = np.where(bare, top * shade, gray).astype(np.float32)
    pixels, clean = photographed(rng, picture, object_px)
    found = labels(placed, camera, rendering.owner, _FINE if scored else 1)
    shows = shows_all_round if scored else stands_out
    keep = [
        i
        for i, one in enumerate(found)
        if len(one.seen) >= 3 and shows(clean, rendering.owner == i)
    ]
    number = np.full(len(found) + 2, -1, np.int16)
    number[keep] = np.arange(len(keep))
    # Owners -1 (table) and -2 (nothing) index the last two entries.
    return Scene(pixels, tuple(found[i] for i in keep), number[rendering.owner])
