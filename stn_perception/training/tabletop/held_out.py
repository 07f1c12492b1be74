# SPDX-License-Identifier: Apache-2.0
"""Scenes of unseen bodies and unseen photographs, and the samples they are scored on."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stn_perception.training.scenes import HELD_OUT as HELD_OUT_MATERIALS
from stn_perception.training.tabletop.crops import detection
from stn_perception.training.tabletop.kinds import HELD_OUT
from stn_perception.training.tabletop.oriented import oriented_box
from stn_perception.training.tabletop.renderer import Renderer
from stn_perception.training.tabletop.sample import BoxSample, Scene
from stn_perception.training.tabletop.table_scene import table_scene

# Whether detections hold all of the object, hidden parts included, or what shows of it.
BoxKind = Literal["whole", "visible"]
# Steps per pixel at which hidden shares are measured.
_FINE = 4
_KIND: dict[BoxKind, float] = {"whole": 0.0, "visible": 0.6}


def held_out_scenes(seed: int, count: int) -> list[tuple[Scene, int]]:
    """Render scenes with their numbers; each depends on the seed and its number alone."""
    with Renderer() as renderer:
        return [
            (
                table_scene(
                    np.random.default_rng([seed, 9, i]),
                    renderer,
                    HELD_OUT,
                    HELD_OUT_MATERIALS,
                    _FINE,
                ),
                i,
            )
            for i in range(count)
        ]


def samples_of(scene: Scene, seed: int, number: int, boxes: BoxKind) -> list[BoxSample]:
    """Return a scene's objects, each with the detection that asks for it.

    Args:
        scene: the scene.
        seed: of the detections' errors.
        number: of the scene.
        boxes: what the detections hold.
    """
    samples = []
    for place, one in enumerate(scene.objects):
        rng = np.random.default_rng([seed, 11, number, place])
        truth = oriented_box(one.outline)
        centre, size = detection(rng, one.outline, one.seen, truth, _KIND[boxes])
        samples.append(
            BoxSample(
                pixels=scene.pixels,
                truth=truth,
                box=np.concatenate([centre, size]),
                hidden=one.hidden,
                kind=one.kind,
                mask=scene.owner == place,
            )
        )
    return samples


def held_out_samples(seed: int, count: int, boxes: BoxKind) -> list[BoxSample]:
    """Render scenes until they show so many objects."""
    samples: list[BoxSample] = []
    number = 0
    with Renderer() as renderer:
        while len(samples) < count:
            rng = np.random.default_rng([seed, 9, number])
            scene = table_scene(rng, renderer, HELD_OUT, HELD_OUT_MATERIALS, _FINE)
            samples += samples_of(scene, seed, number, boxes)
            number += 1
    return samples[:count]
