# SPDX-License-Identifier: Apache-2.0
"""The studies that `stn study` offers, each a folder with a ``command`` module.

A ``command`` module is imported to build the command line, so it imports nothing heavy itself:
``SUMMARY`` and ``EXAMPLE`` for the help, ``add_arguments(parser)``, ``run(parsed) -> int``.
``parsed.train`` asks for new weights instead of the committed ones, ``parsed.json`` is where the
figures for machines go, or None.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

NAMES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/command.py")))


class StudyCommand(Protocol):
    """What a ``command`` module has."""

    SUMMARY: str
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options that only this study has."""

    def run(self, parsed: argparse.Namespace) -> int:
        """Run it and return the exit status; a missed target is a result, not a failure."""


def study_command(name: str) -> StudyCommand:
    """The command module of one study."""
    return cast(StudyCommand, import_module(f"stn_perception.studies.{name}.command"))
