# SPDX-License-Identifier: Apache-2.0
"""A parameter file means the same without ROS as it means to rcl."""

from __future__ import annotations

from pathlib import Path

import pytest

from stn_perception.runtime.parameters.parameters import NodeParameters, ParameterError
from stn_perception.runtime.parameters.reading import read_parameters

ROOT = Path(__file__).parents[3]


def read(tmp_path: Path, text: str) -> NodeParameters:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    return read_parameters(file)


def test_the_shipped_file_is_the_defaults() -> None:
    assert read_parameters(ROOT / "config" / "canonicalizer.yaml") == NodeParameters()


def test_the_samples_file_says_what_it_says() -> None:
    parameters = read_parameters(ROOT / "samples" / "duckiebot" / "params.yaml")
    assert parameters.inputs.image_transport == "compressed"
    assert parameters.pipeline.box_sigma == 0.005


@pytest.mark.parametrize(
    "name", ["/**", "/*", "canonicalizer", "/canonicalizer", "/robot/canonicalizer"]
)
def test_every_way_to_name_the_node_holds(tmp_path: Path, name: str) -> None:
    text = f"{name}:\n  ros__parameters:\n    smoothing: 0.5\n    use_sim_time: true\n"
    assert read(tmp_path, text).pipeline.smoothing == 0.5


def test_namespaces_may_be_nested_and_other_nodes_do_not_count(tmp_path: Path) -> None:
    text = """
other:
  ros__parameters: {smoothing: 0.9}
robot:
  canonicalizer:
    ros__parameters: {smoothing: 0.25, object_size_m: ["stop=0.1,0.2"]}
"""
    parameters = read(tmp_path, text)
    assert parameters.pipeline.smoothing == 0.25
    assert parameters.pipeline.object_size_m == {"stop": (0.1, 0.2)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("other:\n  ros__parameters: {a: 1}\n", "for 'canonicalizer'.*it has /other"),
        ("- 1\n", "for 'canonicalizer'.*it has none"),
        ("a: [1\n", "is no YAML"),
        ("/**:\n  ros__parameters: {smoothing: 2.0}\n", "smoothing is 2.0"),
        ("/**:\n  ros__parameters: {smothing: 0.2}\n", "Unknown parameter 'smothing'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ParameterError, match=expected) as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)
    assert "params.yaml" in str(refused.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"absent.yaml cannot be read: No such file"):
        read_parameters(tmp_path / "absent.yaml")
