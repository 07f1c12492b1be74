# SPDX-License-Identifier: Apache-2.0
"""Every subcommand of `stn`."""

from __future__ import annotations

import argparse

from stn_perception.cli.bag_commands import add_bag_commands
from stn_perception.cli.bench_commands import add_benchmarks
from stn_perception.cli.model_commands import add_model_commands
from stn_perception.cli.ros_commands import add_ros_commands
from stn_perception.cli.study_commands import add_studies
from stn_perception.cli.subcommands import Subcommands
from stn_perception.cli.training_commands import add_training_commands


def build_parser() -> argparse.ArgumentParser:
    """Declare every subcommand."""
    parser = argparse.ArgumentParser(prog="stn", description="Canonical views for robots.")
    commands = Subcommands(parser)
    add_ros_commands(commands)
    add_bag_commands(commands)
    add_training_commands(commands)
    add_benchmarks(commands)
    add_studies(commands)
    add_model_commands(commands)
    return parser
