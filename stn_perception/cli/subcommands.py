# SPDX-License-Identifier: Apache-2.0
"""How subcommands are declared."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


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


def add_json(*parsers: argparse.ArgumentParser) -> None:
    """Give commands that have a result the option to write it for machines."""
    for parser in parsers:
        parser.add_argument("--json", type=Path, metavar="FILE", help="result for machines")
