# SPDX-License-Identifier: Apache-2.0
"""`stn evaluate` and `stn label`: commands on recordings, without ROS."""

from __future__ import annotations

from stn_perception.cli.subcommands import Subcommands, add_json, command_module


def add_bag_commands(commands: Subcommands) -> None:
    """Commands that need the [bags] extra."""
    add_json(commands.add_module("evaluate", command_module("bags.evaluation")))
    commands.add_module("label", command_module("bags.labelling"))
