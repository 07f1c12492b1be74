# SPDX-License-Identifier: Apache-2.0
"""Play the sample recording into the canonicalizer, in a loop, with RViz if wanted."""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from stn_perception.node.launch_arguments import (
    BAG,
    CANONICALIZER_ARGUMENTS,
    IMAGE_TRANSPORT,
    LOOP,
    PLAYER_ARGUMENTS,
    RVIZ,
    USE_SIM_TIME,
)
from stn_perception.node.share import share_file


def generate_launch_description():
    sample = str(share_file("samples/duckiebot/metadata.yaml").parent)
    defaults = {BAG.name: sample, LOOP.name: "true", USE_SIM_TIME.name: "true"}
    defaults[IMAGE_TRANSPORT.name] = "compressed"
    replayed = (*PLAYER_ARGUMENTS, *CANONICALIZER_ARGUMENTS)
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    argument.name,
                    default_value=defaults.get(argument.name, argument.default),
                    description=argument.description,
                )
                for argument in (*replayed, RVIZ)
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(Path(__file__).with_name("replay.launch.py"))),
                launch_arguments=[
                    (argument.name, LaunchConfiguration(argument.name)) for argument in replayed
                ],
            ),
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=["-d", str(share_file("config/canonicalizer.rviz"))],
                condition=IfCondition(LaunchConfiguration(RVIZ.name)),
            ),
        ]
    )
