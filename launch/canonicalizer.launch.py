# SPDX-License-Identifier: Apache-2.0
"""Start the canonicalizer node; `ros2 launch stn_perception canonicalizer.launch.py -s` lists the
arguments.
"""

import os
from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from stn_perception.node.launch_arguments import (
    CANONICALIZER_ARGUMENTS,
    canonicalizer_parameters,
)
from stn_perception.node.transport import profile_environment


def _start(context):
    given = {
        argument.name: LaunchConfiguration(argument.name).perform(context)
        for argument in CANONICALIZER_ARGUMENTS
    }
    files = [given["params_file"]] if given["params_file"] else []
    own = canonicalizer_parameters(given)
    return [
        Node(
            package="stn_perception",
            executable="canonicalizer_node",
            name="canonicalizer",
            namespace=given["namespace"],
            parameters=[*files, *([own] if own else [])],
            ros_arguments=["--log-level", given["log_level"]],
            output="screen",
            emulate_tty=True,
        )
    ]


def generate_launch_description():
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value=argument.default,
                    description=argument.description,
                )
                for argument in CANONICALIZER_ARGUMENTS
            ),
            *(
                SetEnvironmentVariable(name, value)
                for name, value in profile_environment(os.environ, Path.cwd()).items()
            ),
            OpaqueFunction(function=_start),
        ]
    )
