# SPDX-License-Identifier: Apache-2.0
"""`stn bench …`: commands that measure, with the peers in the same run."""

from __future__ import annotations

from stn_perception.cli.subcommands import Subcommands, add_json


def add_benchmarks(commands: Subcommands) -> None:
    """Commands that measure, with the peers in the same run."""
    from stn_perception.benchmarks.commands import NAMES, bench_command

    bench = commands.add("bench", None, "stn bench warp")
    bench.description = "What it costs, with the peers in the same run."
    kinds = Subcommands(bench, "bench ")
    for name in NAMES:
        command = bench_command(name)
        parser = kinds.add(name, command.run, command.EXAMPLE)
        parser.description = command.SUMMARY
        command.add_arguments(parser)
        add_json(parser)
