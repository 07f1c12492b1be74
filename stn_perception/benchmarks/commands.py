# SPDX-License-Identifier: Apache-2.0
"""The benchmarks that `stn bench` offers, each a folder with a ``command`` module.

A ``command`` module is imported to build the command line, so it imports nothing heavy itself:
``SUMMARY`` and ``EXAMPLE`` for the help, ``add_arguments(parser)``, ``run(parsed) -> int``.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Protocol, cast

NAMES: tuple[str, ...] = (
    "warp",
    "pipeline",
    "growth",
    "cuda",
    "node",
    "start",
    "evaluation",
    "guard",
)


class BenchCommand(Protocol):
    """What a ``command`` module has."""

    SUMMARY: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options of this benchmark."""

    def run(self, parsed: argparse.Namespace) -> int:
        """Run it; ``parsed.json`` is where the figures for machines go, or None."""


def bench_command(name: str) -> BenchCommand:
    """The command module of one benchmark."""
    return cast(BenchCommand, import_module(f"stn_perception.benchmarks.{name}.command"))
