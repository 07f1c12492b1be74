# SPDX-License-Identifier: Apache-2.0
"""Simulated grasps: a camera above the table, a box, a gripper that closes along it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.scenes import HELD_OUT as HELD_OUT_MATERIALS
from stn_perception.training.scenes.backgrounds import random_background
from stn_perception.training.tabletop import gripper, physics
from stn_perception.training.tabletop.bodies import Body, Part
from stn_perception.training.tabletop.crops import detection
from stn_perception.training.tabletop.gripper import OPENING_M, Grasp
from stn_perception.training.tabletop.kinds import HELD_OUT
from stn_perception.training.tabletop.measuring import answers_of, upright_corners
from stn_perception.training.tabletop.oriented import hull_of, oriented_box
from stn_perception.training.tabletop.renderer import Camera, Placed, Renderer, looking_at
from stn_perception.training.tabletop.sample import BoxSample
from stn_perception.training.tabletop.table_scene import resting
from stn_perception.training.tabletop.visibility import PICTURE_PX, photographed, shows_all_round

# Fingers need air on both sides, and a body that is flatter than this slips under them.
_CLEARANCE_M = 0.012
_LEAST_HEIGHT_M = 0.015
_CAMERA_HEIGHT_M = 0.7
# Standing things tip over before the fingers hold them.
_MOST_SLENDER = 1.6
# How wide bodies are made at their narrowest: small ones can be grasped at any angle.
_SHARE_OF_OPENING = (0.4, 0.85)
_LONGEST_M = 0.2

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One body at rest and the picture of it.

    Attributes:
        placed: where it lies.
        camera: what took the picture.
        sample: picture, detection and true oriented box.
        top_m: height of the body, at which its outline is.
    """

    placed: Placed
    camera: Camera
    sample: BoxSample
    top_m: float


def _narrowest_m(placed: Placed) -> float:
    """The smallest width of a body's outline seen straight from above."""
    outline = hull_of(placed.mesh.vertices[:, :2] * 1000) / 1000
    angles = np.linspace(0, np.pi, 90, endpoint=False)
    widths = np.ptp(outline @ np.stack([np.cos(angles), np.sin(angles)]), axis=0)
    return float(widths.min())


def _sized(rng: np.random.Generator, body: Body) -> Placed:
    """Lay a body down, scaled so that only a grasp at a fair angle can hold it."""
    placed = resting(rng, body)
    wanted = OPENING_M * float(rng.uniform(*_SHARE_OF_OPENING))
    longest = float(np.ptp(body.whole.vertices, axis=0).max())
    factor = min(wanted / _narrowest_m(placed), _LONGEST_M / longest)
    parts = tuple(Part(p.mesh.scaled((factor,) * 3), p.tone) for p in body.parts)
    scaled = Body(body.kind, parts, body.lies)
    return Placed(scaled, placed.rotation, placed.shift * factor + np.array([0, 0, 0.002]))


def is_graspable(placed: Placed) -> bool:
    """Return whether any grasp can hold: narrower than the open fingers, neither flat nor thin."""
    height, width = float(placed.mesh.vertices[:, 2].max()), _narrowest_m(placed)
    return bool(
        width + _CLEARANCE_M < OPENING_M
        and height > _LEAST_HEIGHT_M
        and height / width < _MOST_SLENDER
    )


def _picture(
    rng: np.random.Generator, renderer: Renderer, placed: Placed, camera: Camera
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], bool]:
    """A photograph of the body from above on some table, its mask, and whether it shows."""
    light = np.array([*rng.normal(0, 0.5, 2), 1.0])
    seen = renderer.render(
        [placed], camera, light, bool(rng.random() < 0.6), ambient=float(rng.uniform(0.35, 0.8))
    )
    top = random_background(rng, HELD_OUT_MATERIALS, PICTURE_PX, PICTURE_PX).astype(np.float32)
    shade = seen.gray / np.float32(255)
    picture = np.where(seen.owner == 0, seen.gray, top * shade).astype(np.float32)
    pixels, clean = photographed(rng, picture, 60.0)
    mask = seen.owner == 0
    return pixels, mask, bool(mask.any()) and shows_all_round(clean, mask)


def trial(rng: np.random.Generator, client: int, renderer: Renderer) -> tuple[int, Trial] | None:
    """Drop an unseen body and photograph it; None where it is not graspable or does not show.

    Returns:
        The body's number in the world, and the trial.
    """
    dropped = _sized(rng, HELD_OUT.draw(rng))
    body = dropped.body
    number = physics.add_body(client, dropped)
    placed = physics.settled(client, number, body)
    middle = placed.mesh.vertices[:, :2].mean(axis=0)
    at = middle + rng.uniform(-0.05, 0.05, 2)
    rotation, position = looking_at(
        np.array([*at, 0.0]),
        _CAMERA_HEIGHT_M,
        np.radians(rng.uniform(85, 90)),
        rng.uniform(0, 2 * np.pi),
        0.0,
    )
    camera = Camera(rotation, position, float(rng.uniform(420, 560)), PICTURE_PX)
    if not is_graspable(placed):
        return None
    pixels, mask, shows = _picture(rng, renderer, placed, camera)
    if not shows:
        return None
    outline = hull_of(camera.project(placed.mesh.vertices))
    truth = oriented_box(outline)
    box = detection(rng, outline, outline, truth, 0.0)
    sample = BoxSample(pixels, truth, box, 0.0, body.kind, mask)
    return number, Trial(placed, camera, sample, float(placed.mesh.vertices[:, 2].max()))


def grasp_of(corners: Matrix, one: Trial) -> Grasp:
    """Return the grasp that closes along a view's y (its short side) at its centre.

    Args:
        corners: 4×2 in pixels, a view's corners.
        one: whose camera saw it; the box is taken to lie at half the body's height.
    """
    middles = [(corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2]
    ends = [_on_plane(one.camera, point, one.top_m / 2) for point in middles]
    closing = ends[1] - ends[0]
    return Grasp((ends[0] + ends[1]) / 2, closing / np.linalg.norm(closing))


def _on_plane(camera: Camera, pixel: Matrix, height_m: float) -> Matrix:
    ray = camera.ray(pixel)
    return np.asarray((camera.position + ray * (height_m - camera.position[2]) / ray[2])[:2])


@dataclass(frozen=True)
class GraspResult:
    """Whether each trial's grasp held, by method."""

    lifted: dict[str, NDArray[np.bool_]]
    drawn: int


def run_grasps(
    archive: ModelArchive,
    count: int,
    seed: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> GraspResult:
    """Grasp unseen bodies by the model's box, the detection's box and the true box.

    Args:
        archive: the model.
        count: trials with a graspable body.
        seed: trial i depends on the seed and i alone.
        report: called with trials done and trials wanted.

    Returns:
        ``model``, ``axis-aligned box`` and ``true box``, each a bool per trial; how many bodies
        were drawn for them.
    """
    lifted: dict[str, list[bool]] = {"model": [], "axis-aligned box": [], "true box": []}
    drawn = 0
    with Renderer() as renderer:
        while len(lifted["model"]) < count:
            result = _one(archive, np.random.default_rng([seed, 17, drawn]), renderer)
            drawn += 1
            if result is None:
                continue
            for name, held in result.items():
                lifted[name].append(held)
            report(len(lifted["model"]), count)
    return GraspResult({name: np.array(held) for name, held in lifted.items()}, drawn)


def _one(
    archive: ModelArchive, rng: np.random.Generator, renderer: Renderer
) -> dict[str, bool] | None:
    """One body, grasped anew by each method from where it came to rest."""
    with physics.world() as client:
        found = trial(rng, client, renderer)
        if found is None:
            return None
        number, one = found
        answer = answers_of(archive, [one.sample], archive.card.refinement_steps)[0]
        upright = upright_corners(one.sample)
        ways: Sequence[tuple[str, Matrix]] = (
            ("model", upright if answer is None else answer.corners),
            ("axis-aligned box", upright),
            ("true box", one.sample.truth.corners),
        )
        return {
            name: gripper.lifts(client, number, one.placed, grasp_of(corners, one))
            for name, corners in ways
        }
