# SPDX-License-Identifier: Apache-2.0
"""The transformer that comes with the package boxes what it was only taught to name."""

from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.scenes import fixed_scenes
from stn_perception.studies.localize.study import LocalizeStudy


def test_its_boxes_lie_on_the_objects() -> None:
    network = LocalizeStudy().network("transformer")
    facts = read_weights(weights_path(shipped_weights("localize"), "transformer", 0), network)
    scenes = fixed_scenes("validation", 200)
    boxes = boxes_of(network.eval(), scenes)
    factor = best_factor(boxes, scenes)
    reached = mean_overlap(boxes, scenes, factor)
    assert abs(reached - facts.validation["overlap_at_factor"]) < 0.04
    assert reached > 0.7
    assert mean_overlap(boxes.roll(1, 0), scenes, factor) < 0.2
