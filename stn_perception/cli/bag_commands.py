# SPDX-License-Identifier: Apache-2.0
"""`stn evaluate` and `stn label`: commands on recordings, without ROS."""

from __future__ import annotations

from stn_perception.cli.subcommands import Subcommands, add_json


def add_bag_commands(commands: Subcommands) -> None:
    """Commands that need the [bags] extra."""
    from stn_perception.bags.evaluation import command as evaluate
    from stn_perception.bags.labelling import command as label

    parser = commands.add("evaluate", evaluate.run, evaluate.EXAMPLE)
    parser.description = evaluate.SUMMARY
    evaluate.add_arguments(parser)
    add_json(parser)
    parser = commands.add("label", label.run, label.EXAMPLE)
    parser.description = label.SUMMARY
    label.add_arguments(parser)
