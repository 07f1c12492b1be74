# SPDX-License-Identifier: Apache-2.0
"""The launch files declare exactly the shared arguments, and start what they say."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from stn_perception.node.launch_arguments import (
    CANONICALIZER_ARGUMENTS,
    PLAYER_ARGUMENTS,
    RVIZ,
    player_command_line,
)
from stn_perception.node.player_options import add_arguments

LAUNCH = Path(__file__).parents[2] / "launch"
DECLARED = {
    "canonicalizer": CANONICALIZER_ARGUMENTS,
    "replay": (*PLAYER_ARGUMENTS, *CANONICALIZER_ARGUMENTS),
    "demo": (*PLAYER_ARGUMENTS, *CANONICALIZER_ARGUMENTS, RVIZ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_arguments_are_declared_from_the_shared_definition_alone(name: str) -> None:
    tree = ast.parse((LAUNCH / f"{name}.launch.py").read_text())
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "DeclareLaunchArgument"
    ]
    (call,) = calls
    assert ast.unparse(call.args[0]) == "argument.name"
    (loop,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.GeneratorExp) and node.elt is call
    ]
    names = {node.id for node in ast.walk(loop.generators[0].iter) if isinstance(node, ast.Name)}
    expanded = {"replayed": {"PLAYER_ARGUMENTS", "CANONICALIZER_ARGUMENTS"}}
    found = {real for each in names for real in expanded.get(each, {each})}
    expected = {"CANONICALIZER_ARGUMENTS"}
    expected |= {"PLAYER_ARGUMENTS"} if name != "canonicalizer" else set()
    expected |= {"RVIZ"} if name == "demo" else set()
    assert found == expected


@pytest.mark.parametrize("name", DECLARED)
def test_the_launch_tool_reads_the_file(name: str) -> None:
    launch = pytest.importorskip("launch", reason="ROS 2's launch is not installed")
    pytest.importorskip("launch_ros", reason="ROS 2's launch_ros is not installed")
    if not hasattr(launch, "LaunchService"):
        pytest.skip("the module 'launch' is not ROS 2's")
    sources = pytest.importorskip("launch.launch_description_sources")
    path = str(LAUNCH / f"{name}.launch.py")
    source = sources.PythonLaunchDescriptionSource(path)
    description = source.get_launch_description(launch.LaunchContext())
    declared = {argument.name for argument in description.get_launch_arguments()}
    assert declared == {argument.name for argument in DECLARED[name]}


def test_the_player_understands_the_arguments_of_the_replay() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    line = player_command_line(
        {"bag": "b", "rate": "2", "loop": "true", "start": "1", "duration": "3"}
    )
    parsed = parser.parse_args(line)
    assert (parsed.bag, parsed.rate, parsed.loop) == (Path("b"), 2.0, True)
    assert (parsed.start_offset, parsed.duration) == (1.0, 3.0)
    with pytest.raises(ValueError, match="expected bag:="):
        player_command_line({})
