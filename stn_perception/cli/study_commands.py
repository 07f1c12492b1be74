# SPDX-License-Identifier: Apache-2.0
"""`stn study …`: the published experiments, reproduced."""

from __future__ import annotations

from stn_perception.cli.subcommands import Subcommands, add_json, command_module


def add_studies(commands: Subcommands) -> None:
    """Commands that reproduce published experiments."""
    from stn_perception.studies.commands import NAMES

    study = commands.add("study", None, "stn study registration")
    study.description = "The published experiments, reproduced with this package."
    kinds = Subcommands(study, "study ")
    for name in NAMES:
        parser = kinds.add_module(name, command_module(f"studies.{name}"))
        parser.add_argument(
            "--train", action="store_true", help="train anew instead of using the shipped weights"
        )
        add_json(parser)
