# SPDX-License-Identifier: Apache-2.0
"""One rendered frame: a thing on a table under an oblique camera, smaller things strewn about.

Rendered by pybullet's software renderer with light and shadow, then exposed, blurred and recorded
as a camera does, by what the table-top model is trained with.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop.bodies import Body, Maker, Part, model, random_mesh
from stn_perception.training.tabletop.renderer import Camera, Placed, Renderer, looking_at
from stn_perception.training.tabletop.vehicles import bicycle, car, lorry
from stn_perception.training.tabletop.visibility import photographed, stands_out

FRAME_PX = 112
SMALLEST_PX, LARGEST_PX = 22.0, 50.0
# Room about the thing's square, so that a window of the frame can be cut about it.
_RIM_PX = 2.0

CLASS_MAKERS: dict[str, Maker] = {
    "duck": functools.partial(model, names=("duck_vhacd.obj",)),
    "bunny": functools.partial(model, names=("bunny.obj",)),
    "football": functools.partial(model, names=("soccerball.obj",)),
    "mug": functools.partial(model, names=("objects/mug.obj",)),
    "lego brick": functools.partial(model, names=("lego/lego.obj",)),
    "teddy": functools.partial(model, names=("teddy2_VHACD_CHs.obj",)),
    "torus": functools.partial(model, names=("torus/torus_textured.obj",)),
    "car": car,
    "lorry": lorry,
    "bicycle": bicycle,
}

_STREWN = (3, 7)
_STREWN_SIZE = (0.25, 0.4)
_NEAREST_M = 0.035

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class RenderedFrame:
    """A frame and what it is a frame of.

    Attributes:
        pixels: uint8 112×112.
        label: The class, its place in `CLASS_MAKERS`.
        square_px: Left, top and side of the square about the thing, hidden parts included; the
            centre of the first pixel is at 0.
    """

    pixels: NDArray[np.uint8]
    label: int
    square_px: tuple[float, float, float]


def render_frame(
    rng: np.random.Generator, renderer: Renderer, numbers: tuple[int, ...]
) -> RenderedFrame:
    """Draw a frame, again where the thing is too small, too large, cut off or not to be seen.

    Args:
        rng: Source of all randomness.
        renderer: The world to render in.
        numbers: Of pybullet's random objects, of which the strewn things are.
    """
    label = int(rng.integers(len(CLASS_MAKERS)))
    maker = list(CLASS_MAKERS.values())[label]
    while True:
        camera = _camera(rng)
        thing = _standing(rng, maker(rng), _on_table(camera, rng.uniform(0.2, 0.8, 2) * FRAME_PX))
        square_px = _square_about(camera.project(thing.mesh.vertices))
        if not _fits(square_px):
            continue
        placed = [thing, *_strewn(rng, camera, thing, numbers)]
        pixels, clean, seen = _photograph(rng, renderer, camera, placed, square_px[2])
        if seen.any() and stands_out(clean, seen):
            return RenderedFrame(pixels, label, square_px)


def _camera(rng: np.random.Generator) -> Camera:
    """A camera under which a thing of 0.1 m is 20 to 50 px long, pitched by 30 to 75°."""
    focal_px = FRAME_PX / 2 / np.tan(np.radians(rng.uniform(12, 30)))
    distance_m = focal_px * 0.1 / np.exp(rng.uniform(np.log(20), np.log(50)))
    rotation, position = looking_at(
        np.array([0, 0, 0.03]),
        max(0.25, distance_m),
        np.radians(rng.uniform(30, 75)),
        rng.uniform(0, 2 * np.pi),
        rng.normal(0, 0.15),
    )
    return Camera(rotation, position, focal_px, FRAME_PX)


def _on_table(camera: Camera, pixel: Matrix) -> Matrix:
    """Return the table's point under a pixel, 3; behind the camera where the ray rises."""
    ray = camera.ray(pixel)
    return np.asarray(camera.position - ray * camera.position[2] / ray[2])


def _standing(rng: np.random.Generator, body: Body, at: Matrix) -> Placed:
    """Stand a body at a point of the table, turned about the vertical at random."""
    yaw_rad = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])
    low = body.whole.vertices[:, 2].min()
    return Placed(body, turn, np.array([at[0], at[1], -low]))


def _strewn(
    rng: np.random.Generator, camera: Camera, thing: Placed, numbers: tuple[int, ...]
) -> list[Placed]:
    placed = []
    for _ in range(int(rng.integers(*_STREWN))):
        at = _on_table(camera, rng.uniform(0, FRAME_PX, 2))
        body = _shrunk(random_mesh(rng, numbers), float(rng.uniform(*_STREWN_SIZE)))
        gap_m = np.linalg.norm(thing.mesh.vertices[:, :2] - at[:2], axis=1).min()
        if gap_m > _NEAREST_M and camera.depths(at[None])[0] > 0:
            placed.append(_standing(rng, body, at))
    return placed


def _shrunk(body: Body, factor: float) -> Body:
    parts = tuple(Part(p.mesh.scaled((factor, factor, factor)), p.tone) for p in body.parts)
    return dataclasses.replace(body, parts=parts)


def _square_about(points_px: Matrix) -> tuple[float, float, float]:
    """Left, top and side of the square with the middle and the longer side of their box."""
    low, high = points_px.min(axis=0), points_px.max(axis=0)
    side = float((high - low).max())
    left, top = (low + high - side) / 2
    return float(left), float(top), side


def _fits(square_px: tuple[float, float, float]) -> bool:
    left, top, side = square_px
    inside = min(left, top) > _RIM_PX and max(left, top) + side < FRAME_PX - 1 - _RIM_PX
    return inside and SMALLEST_PX <= side <= LARGEST_PX


def _photograph(
    rng: np.random.Generator,
    renderer: Renderer,
    camera: Camera,
    placed: list[Placed],
    side_px: float,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """Return pixels, the picture without noise, and where the thing shows."""
    light = np.array([*rng.normal(0, 0.6, 2), 1.0])
    ambient = float(rng.uniform(0.4, 0.8))
    rendering = renderer.render(placed, camera, light, bool(rng.random() < 0.6), ambient=ambient)
    tone = np.float32(rng.uniform(0.15, 1.0))
    picture = np.where(rendering.owner == -1, rendering.gray * tone, rendering.gray)
    # The table ends somewhere; what lies behind is as bright as it is.
    picture = np.where(rendering.owner == -2, np.float32(255) * tone, picture)
    softened = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.5)
    pixels, clean = photographed(rng, np.asarray(softened), side_px)
    return pixels, clean, rendering.owner == 0
