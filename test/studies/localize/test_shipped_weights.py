# SPDX-License-Identifier: Apache-2.0
"""The transformers that come with the package box what they were only taught to name."""

import pytest

from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path
from stn_perception.studies.localize import rendered_scenes
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.clothes import ClothesScenes
from stn_perception.studies.localize.rendered_scenes import RenderedScenes, render_frames
from stn_perception.studies.localize.study import LocalizeStudy


def test_its_boxes_lie_on_the_objects() -> None:
    network = LocalizeStudy().network("transformer")
    facts = read_weights(weights_path(shipped_weights("localize"), "transformer", 0), network)
    scenes = ClothesScenes().fixed("validation", 200)
    boxes = boxes_of(network.eval(), scenes)
    factor = best_factor(boxes, scenes)
    reached = mean_overlap(boxes, scenes, factor)
    assert abs(reached - facts.validation["overlap_at_factor"]) < 0.04
    assert reached > 0.7
    assert mean_overlap(boxes.roll(1, 0), scenes, factor) < 0.2


def test_its_boxes_lie_on_rendered_things(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = render_frames("validation", 80)
    monkeypatch.setattr(rendered_scenes, "rendered_frames", lambda split: frames)
    row = "rendered-transformer"
    network = LocalizeStudy().network(row)
    facts = read_weights(weights_path(shipped_weights("localize"), row, 0), network)
    scenes = RenderedScenes().fixed("validation", 80)
    boxes = boxes_of(network.eval(), scenes)
    reached = mean_overlap(boxes, scenes, facts.validation["factor"])
    # A deviation of 0.28 over 80 scenes.
    assert abs(reached - facts.validation["overlap_at_factor"]) < 0.1
    assert mean_overlap(boxes.roll(1, 0), scenes) < 0.2
