# SPDX-License-Identifier: Apache-2.0
"""`stn bench …`: commands that measure, with the peers in the same run."""

from __future__ import annotations

from stn_perception.cli.subcommands import Subcommands, add_json, command_module


def add_benchmarks(commands: Subcommands) -> None:
    """Commands that measure, with the peers in the same run."""
    from stn_perception.benchmarks.commands import NAMES

    bench = commands.add("bench", None, "stn bench warp")
    bench.description = "What it costs, with the peers in the same run."
    kinds = Subcommands(bench, "bench ")
    for name in NAMES:
        add_json(kinds.add_module(name, command_module(f"benchmarks.{name}")))
