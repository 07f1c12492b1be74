# SPDX-License-Identifier: Apache-2.0
"""Where boxes and depth come from is decided by the parameters and by what a recording has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stn_perception.bags import BagError, BagReader, BagWriter
from stn_perception.bags.evaluation.models import model_choices
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.planning import CameraPlan, plan_cameras
from stn_perception.bags.opening import opened
from stn_perception.benchmarks.evaluation.looped_bag import DETECTIONS
from stn_perception.runtime.parameters.parameters import NodeParameters


@pytest.fixture(scope="module")
def without_boxes(short_bag: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    bag = tmp_path_factory.mktemp("without") / "bag"
    with BagReader(short_bag) as reader, BagWriter(bag) as writer:
        for message in reader.messages([name for name in reader.topics if name != DETECTIONS]):
            writer.add_topic(message.topic, message.type_name)
            writer.write(message.topic, message.time_ns, message.data)
    return bag


def planned(bag: Path, cache: Path, ros: dict[str, Any] | None = None, **given: Any) -> CameraPlan:
    parameters = NodeParameters.from_ros(ros or {})
    options = EvaluationOptions(bags=(str(bag),), parameters=parameters, cache=cache, **given)
    models = model_choices(options)
    (camera,) = plan_cameras(opened(str(bag), cache), str(bag), models, options)
    return camera


def test_recorded_boxes_are_taken_without_a_word(short_bag: Path, tmp_path: Path) -> None:
    plan = planned(short_bag, tmp_path)
    assert plan.parameters.inputs.regions == "detections"
    assert plan.scan.sentences == ()


def test_without_boxes_it_is_the_whole_frame_and_that_is_told(
    without_boxes: Path, tmp_path: Path
) -> None:
    plan = planned(without_boxes, tmp_path)
    assert plan.parameters.inputs.regions == "full_frame"
    assert plan.scan.sentences == (
        "Camera 'camera' has no detections, so the whole frame is the box.",
    )


def test_what_was_asked_for_needs_no_telling(without_boxes: Path, tmp_path: Path) -> None:
    plan = planned(without_boxes, tmp_path, boxes="full_frame")
    assert plan.scan.sentences == ()


def test_depth_that_is_not_there_is_told(short_bag: Path, tmp_path: Path) -> None:
    plan = planned(short_bag, tmp_path, {"use_depth": True})
    assert not plan.parameters.inputs.use_depth
    assert plan.scan.sentences == ("Camera 'camera' has no depth, so it is done without.",)


def test_fixed_boxes_that_nobody_gave_are_refused(short_bag: Path, tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r"the parameters have none.*fixed_regions"):
        planned(short_bag, tmp_path, boxes="fixed")


def test_a_camera_named_twice_is_one(short_bag: Path, tmp_path: Path) -> None:
    plan = planned(short_bag, tmp_path, images=("/camera/image/compressed",) * 2)
    assert plan.scan.topics.camera == "camera"
