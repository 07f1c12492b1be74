# SPDX-License-Identifier: Apache-2.0
"""Play a bag into the canonicalizer, on the bag's time; ends with the bag."""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from stn_perception.node.launch_arguments import (
    CANONICALIZER_ARGUMENTS,
    PLAYER_ARGUMENTS,
    USE_SIM_TIME,
    player_command_line,
)


def _play(context):
    given = {
        argument.name: LaunchConfiguration(argument.name).perform(context)
        for argument in PLAYER_ARGUMENTS
    }
    return [
        Node(
            package="stn_perception",
            executable="bag_player_node",
            arguments=player_command_line(given),
            output="screen",
            on_exit=Shutdown(reason="the bag has ended"),
        )
    ]


def generate_launch_description():
    canonicalizer = str(Path(__file__).with_name("canonicalizer.launch.py"))
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value="true" if argument is USE_SIM_TIME else argument.default,
                    description=argument.description,
                )
                for argument in (*PLAYER_ARGUMENTS, *CANONICALIZER_ARGUMENTS)
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(canonicalizer),
                launch_arguments=[
                    (argument.name, LaunchConfiguration(argument.name))
                    for argument in CANONICALIZER_ARGUMENTS
                ],
            ),
            OpaqueFunction(function=_play),
        ]
    )
