# SPDX-License-Identifier: Apache-2.0
"""What rendered scenes say of their objects agrees with their pixels."""

import resource
from pathlib import Path

import numpy as np
import pytest

from stn_perception.training.scenes import HELD_OUT as HELD_OUT_MATERIALS
from stn_perception.training.scenes import TRAINING as MATERIALS
from stn_perception.training.tabletop import kinds
from stn_perception.training.tabletop.bodies import Body, Part
from stn_perception.training.tabletop.classical import smallest_box
from stn_perception.training.tabletop.labelling import labels
from stn_perception.training.tabletop.meshes import box
from stn_perception.training.tabletop.oriented import (
    angle_between,
    hull_of,
    oriented_box,
    outline_of_mask,
)
from stn_perception.training.tabletop.renderer import Camera, Placed, Renderer, looking_at
from stn_perception.training.tabletop.sample import Scene
from stn_perception.training.tabletop.table_scene import resting, table_scene

LIGHT = np.array([0.3, 0.2, 1.0])
MIB = 2**20


def camera_at(pitch_deg: float, yaw: float, size_px: int = 192) -> Camera:
    target = np.array([0, 0, 0.02])
    rotation, position = looking_at(target, 0.5, np.radians(pitch_deg), yaw, 0.2)
    return Camera(rotation, position, 260.0, size_px)


def test_projected_outlines_agree_with_the_masks_of_lone_bodies() -> None:
    rng = np.random.default_rng(4)
    differences, angles = [], []
    with Renderer() as renderer:
        for k in range(24):
            drawn = kinds.TRAINING if k % 2 else kinds.HELD_OUT
            placed = resting(rng, drawn.draw(rng))
            camera = camera_at(rng.uniform(35, 90), rng.uniform(0, 6.28))
            mask = renderer.render([placed], camera, LIGHT, False).owner == 0
            projected = hull_of(camera.project(placed.mesh.vertices))
            seen = outline_of_mask(mask)
            differences.append(projected.min(axis=0) - seen.min(axis=0))
            differences.append(projected.max(axis=0) - seen.max(axis=0))
            truth = oriented_box(projected)
            if truth.aspect > 1.4:
                found = oriented_box(seen)
                angles.append(np.degrees(angle_between(truth.angle_rad, found.angle_rad)))
    assert np.abs(differences).max() < 1.0
    # No shift in any direction: the renderer's pixel centres are the camera's.
    assert np.abs(np.mean(differences, axis=0)).max() < 0.2
    assert np.median(angles) < 0.5
    assert max(angles) < 2.5


def test_a_flat_bar_seen_from_above_has_the_angle_it_was_laid_at() -> None:
    bar = Body("bar", (Part(box().scaled((0.12, 0.03, 0.002)), 0.2),))
    camera = camera_at(90.0, 0.0)
    with Renderer() as renderer:
        for yaw in np.linspace(0, np.pi, 7):
            c, s = np.cos(yaw), np.sin(yaw)
            turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])
            placed = Placed(bar, turn, np.array([0.01, 0.02, 0.001]))
            mask = renderer.render([placed], camera, LIGHT, False).owner == 0
            # The bar's long axis in the picture, from the poses alone.
            expected = np.arctan2(*(camera.rotation @ turn)[[1, 0], 0])
            outline = hull_of(camera.project(placed.mesh.vertices))
            assert np.degrees(angle_between(oriented_box(outline).angle_rad, expected)) < 0.2
            assert np.degrees(angle_between(smallest_box(mask).angle_rad, expected)) < 2.0


def test_depth_lies_on_the_table() -> None:
    camera = camera_at(50.0, 1.0)
    with Renderer() as renderer:
        seen = renderer.render([], camera, LIGHT, False)
    for row, column in ((20, 30), (96, 96), (180, 170)):
        assert seen.owner[row, column] == -1
        ray = camera.ray(np.array([column, row], np.float64))
        point = camera.position + ray * float(seen.depth_m[row, column])
        assert point[2] == pytest.approx(0.0, abs=2e-3)


def test_what_hides_an_object_does_not_change_its_truth() -> None:
    under = Body("bar", (Part(box().scaled((0.12, 0.04, 0.01)), 0.2),))
    over = Body("block", (Part(box().scaled((0.06, 0.08, 0.01)), 0.8),))
    camera = camera_at(90.0, 0.0)
    low = Placed(under, np.eye(3), np.array([0.0, 0.0, 0.005]))
    high = Placed(over, np.eye(3), np.array([0.06, 0.0, 0.02]))
    with Renderer() as renderer:
        lone = renderer.render([low], camera, LIGHT, False).owner
        alone = labels([low], camera, lone, fine=4)[0]
        both = renderer.render([low, high], camera, LIGHT, False).owner
        covered = labels([low, high], camera, both, fine=4)[0]
    assert alone.hidden < 0.03
    # The block covers a quarter of the bar, a little more as it is nearer to the camera.
    assert 0.2 < covered.hidden < 0.35
    assert covered.outline == pytest.approx(alone.outline)
    assert np.ptp(covered.seen, axis=0).max() < 0.85 * np.ptp(alone.seen, axis=0).max()


def scenes(seed: int, count: int) -> list[Scene]:
    with Renderer() as renderer:
        return [
            table_scene(np.random.default_rng([seed, i]), renderer, kinds.TRAINING, MATERIALS)
            for i in range(count)
        ]


def test_scenes_repeat_by_seed_and_own_their_pixels() -> None:
    first, second = scenes(8, 4), scenes(8, 4)
    assert sum(len(scene.objects) for scene in first) >= 4
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
        assert np.array_equal(a.owner, b.owner)
        for place, one in enumerate(a.objects):
            mask = a.owner == place
            assert outline_of_mask(mask) == pytest.approx(one.seen)
            assert one.hidden <= 0.65


def test_nothing_to_score_on_is_trained_on() -> None:
    trained, scored = kinds._TRAINING_NUMBERS, kinds._HELD_OUT_NUMBERS
    assert not set(trained) & set(scored)
    assert not set(kinds._TRAINING_MODELS) & set(kinds._HELD_OUT_MODELS)
    assert not set(MATERIALS.photographs) & set(HELD_OUT_MATERIALS.photographs)
    makers = [{maker for maker, _ in drawn.makers} for drawn in (kinds.TRAINING, kinds.HELD_OUT)]
    assert not makers[0] & makers[1]


def test_rendering_on_and_on_takes_no_more_memory() -> None:
    rng = np.random.default_rng(8)
    placed = [resting(rng, kinds.TRAINING.draw(rng)) for _ in range(6)]
    camera = camera_at(60.0, 1.0, size_px=32)
    with Renderer() as renderer:
        for _ in range(20):
            renderer.render(placed, camera, LIGHT, False)
        before = resident_bytes()
        for _ in range(60):
            renderer.render(placed, camera, LIGHT, False)
    # pybullet keeps every list it is given: not emptied, these scenes left 180 MiB behind.
    assert resident_bytes() - before < 16 * MIB


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()
