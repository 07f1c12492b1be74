# SPDX-License-Identifier: Apache-2.0
"""`stn run` and the launch files understand the same arguments in the same way."""

from __future__ import annotations

import pytest

from stn_perception.node.launch_arguments import (
    CANONICALIZER_ARGUMENTS,
    canonicalizer_parameters,
    ros_arguments,
)
from stn_perception.node.run import run
from stn_perception.runtime.parameters.parameters import PARAMETERS


def test_every_argument_of_the_interface_is_there() -> None:
    assert {argument.name for argument in CANONICALIZER_ARGUMENTS} >= {
        "params_file",
        "namespace",
        "model",
        "device",
        "cameras",
        "use_sim_time",
        "log_level",
        "autostart",
    }


def test_arguments_set_parameters_that_exist() -> None:
    for argument in CANONICALIZER_ARGUMENTS:
        if argument.parameter and argument.parameter != "use_sim_time":
            assert argument.parameter in PARAMETERS


def test_an_argument_that_is_not_given_leaves_the_parameter_file_its_say() -> None:
    assert canonicalizer_parameters({}) == {}
    assert ros_arguments({}) == ["--ros-args", "--log-level", "info"]


def test_arguments_become_a_ros_command_line() -> None:
    line = ros_arguments(
        {
            "params_file": "/tmp/p.yaml",
            "namespace": "robot/head/",
            "model": "it's.pt",
            "cameras": "front, rear",
            "use_sim_time": "True",
            "autostart": "false",
            "log_level": "debug",
        }
    )
    assert line[:3] == ["--ros-args", "--log-level", "debug"]
    assert line[line.index("--params-file") + 1] == "/tmp/p.yaml"
    assert "__ns:=/robot/head" in line
    assert "model:='it''s.pt'" in line
    assert "cameras:=['front', 'rear']" in line
    assert "use_sim_time:=true" in line
    assert "autostart:=false" in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"modle": "x"}, "Unknown argument 'modle'"),
        ({"use_sim_time": "perhaps"}, "use_sim_time is 'perhaps', expected true or false."),
        ({"log_level": "loud"}, "log_level is 'loud'"),
    ],
)
def test_a_bad_argument_is_one_sentence(
    arguments: dict[str, str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
