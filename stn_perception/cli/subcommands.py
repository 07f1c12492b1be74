# SPDX-License-Identifier: Apache-2.0
"""How subcommands are declared."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast


class CommandModule(Protocol):
    """A module that is one subcommand; it is imported for `--help`, so it loads nothing heavy."""

    SUMMARY: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options that only this one has."""

    def run(self, parsed: argparse.Namespace) -> int:
        """Do it and return the exit status."""


class Subcommands:
    """Adds subcommands whose help ends with an example."""

    def __init__(self, parser: argparse.ArgumentParser, depth: str = "") -> None:
        self._depth = depth
        self._parsers = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        self, name: str, job: Callable[[argparse.Namespace], int] | None, example: str
    ) -> argparse.ArgumentParser:
        """Add one; its help is the job's docstring and the example."""
        summary = (job.__doc__ or "").strip() if job else ""
        parser: argparse.ArgumentParser = self._parsers.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if job is not None:
            parser.set_defaults(job=job, command=f"{self._depth}{name}")
        return parser

    def add_module(self, name: str, module: CommandModule) -> argparse.ArgumentParser:
        """Add one whose help is its module's summary."""
        parser = self.add(name, module.run, module.EXAMPLE)
        parser.description = module.SUMMARY
        module.add_arguments(parser)
        return parser


def command_module(package: str) -> CommandModule:
    """Return the ``command`` module of a package, by the package's name below this one."""
    return cast(CommandModule, import_module(f"stn_perception.{package}.command"))


def add_json(*parsers: argparse.ArgumentParser) -> None:
    """Give commands that have a result the option to write it for machines."""
    for parser in parsers:
        parser.add_argument("--json", type=Path, metavar="FILE", help="result for machines")
