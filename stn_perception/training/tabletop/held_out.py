# SPDX-License-Identifier: Apache-2.0
"""Scenes of unseen bodies and unseen photographs, and the samples they are scored on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
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
# From this share on an object counts as partly hidden.
PARTLY_HIDDEN = 0.05
_KIND: dict[BoxKind, float] = {"whole": 0.0, "visible": 0.6}


def held_out_scenes(seed: int, count: int) -> list[tuple[Scene, int]]:
    """Render scenes with their numbers; each depends on the seed and its number alone."""
    return list(itertools.islice(_scenes(seed), count))


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
        box = detection(rng, one.outline, one.seen, truth, _KIND[boxes])
        samples.append(
            BoxSample(
                pixels=scene.pixels,
                truth=truth,
                box=box,
                hidden=one.hidden,
                kind=one.kind,
                mask=scene.owner == place,
            )
        )
    return samples


def held_out_samples(seed: int, count: int, boxes: BoxKind) -> list[BoxSample]:
    """Render scenes until they show so many objects, however much of them is hidden."""
    samples: list[BoxSample] = []
    for scene, number in _scenes(seed):
        samples += samples_of(scene, seed, number, boxes)
        if len(samples) >= count:
            break
    return samples[:count]


@dataclass(frozen=True)
class ScoredSets:
    """Samples by how much of the object shows, and by what the detection holds.

    Attributes:
        clear: objects of which less than ``PARTLY_HIDDEN`` is hidden.
        hidden: objects of which more is, up to 65 %; the detections hold all of them.
        hidden_visible: the same objects; the detections hold what shows.
    """

    clear: list[BoxSample]
    hidden: list[BoxSample]
    hidden_visible: list[BoxSample]


def scored_sets(seed: int, count: int) -> ScoredSets:
    """Render scenes until each set has so many objects."""
    sets = ScoredSets([], [], [])
    for scene, number in _scenes(seed):
        whole = samples_of(scene, seed, number, "whole")
        visible = samples_of(scene, seed, number, "visible")
        for sample, of_part in zip(whole, visible, strict=True):
            if sample.hidden < PARTLY_HIDDEN:
                sets.clear.append(sample)
            else:
                sets.hidden.append(sample)
                sets.hidden_visible.append(of_part)
        if min(len(sets.clear), len(sets.hidden)) >= count:
            break
    return ScoredSets(sets.clear[:count], sets.hidden[:count], sets.hidden_visible[:count])


def _scenes(seed: int) -> Iterator[tuple[Scene, int]]:
    with Renderer() as renderer:
        for number in itertools.count():
            rng = np.random.default_rng([seed, 9, number])
            yield table_scene(rng, renderer, HELD_OUT, HELD_OUT_MATERIALS, scored=True), number
