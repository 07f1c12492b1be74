# SPDX-License-Identifier: Apache-2.0
"""The parameter model, its ROS form and the parameter file agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stn_perception.runtime.parameters.parameter_file import parameter_file
from stn_perception.runtime.parameters.parameter_table import ros_values
from stn_perception.runtime.parameters.parameters import PARAMETERS, NodeParameters, ParameterError

CONFIG = Path(__file__).parents[3] / "config" / "canonicalizer.yaml"


def test_the_parameter_file_is_what_the_model_says() -> None:
    assert CONFIG.read_text() == parameter_file()


def test_the_parameter_file_holds_every_parameter_with_its_default() -> None:
    values = yaml.safe_load(CONFIG.read_text())["/**"]["ros__parameters"]
    assert values == {name: spec.default for name, spec in PARAMETERS.items()}
    assert NodeParameters.from_ros(values) == NodeParameters()


def test_every_parameter_is_described() -> None:
    assert not [name for name, spec in PARAMETERS.items() if not spec.description]


def test_ros_values_survive_a_round_trip() -> None:
    given = {
        "cameras": ["front", "arm/wrist"],
        "object_size_m": ["stop=0.6,0.6", "=0.1,0.2"],
        "fixed_regions": ["front:box=10,20,30,40,0.5", ""],
        "sync_slop_s": 1,
        "view_width": 128,
    }
    parameters = NodeParameters.from_ros(given)
    assert parameters.pipeline.object_size_m == {"stop": (0.6, 0.6), "": (0.1, 0.2)}
    assert parameters.inputs.fixed_boxes()[0].region.box.angle_rad == 0.5
    assert NodeParameters.from_ros(ros_values(parameters)) == parameters


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"sync_slop_s": -1.0}, ["sync_slop_s", "-1.0", "greater than or equal to 0"]),
        ({"regions": "all"}, ["regions", "'all'", "full_frame"]),
        ({"device": "gpu"}, ["device", "'gpu'"]),
        ({"cameras": ["a b"]}, ["'a b'", "camera name"]),
        ({"cameras": ["a", "a"]}, ["twice"]),
        ({"cameras": ["a", "b"], "max_cameras": 1}, ["2 cameras", "max_cameras = 1"]),
        ({"regions": "fixed"}, ["fixed_regions"]),
        ({"fixed_regions": ["box=1,2,3"]}, ["'box=1,2,3'", "expected"]),
        ({"fixed_regions": ["box=1,2,0,4"]}, ["positive"]),
        ({"fixed_regions": ["rear:box=1,2,3,4"]}, ["'rear'", "camera"]),
        ({"object_size_m": 5}, ["object_size_m is 5", "list"]),
        ({"cameras": "front"}, ["cameras is 'front'", "valid list"]),
        ({"cameras": []}, ["cameras is []", "at least 1"]),
        ({"model_mean": [0.1, 0.2]}, ["model_mean has 2 values", "model_channels = 3"]),
        ({"model": 5}, ["model is 5", "string"]),
        ({"object_size_m": ["stop=0.6"]}, ["'stop=0.6'", "width,height"]),
        ({"object_size_m": ["stop=0.6,-1"]}, ["object_size_m", "greater than 0"]),
        ({"no_such": 1, "nor_this": 2}, ["'no_such', 'nor_this'", "canonicalizer.yaml"]),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(values: dict, expected: list[str]) -> None:
    with pytest.raises(ParameterError) as refused:
        NodeParameters.from_ros(values)
    text = str(refused.value)
    assert text.endswith(".") and "\n" not in text
    for part in expected:
        assert part in text
