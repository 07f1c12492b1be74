# SPDX-License-Identifier: Apache-2.0
"""Run one subcommand; what the rooms refuse becomes a sentence and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from stn_perception.cli.parser import build_parser

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit status is returned."""
    try:
        return run_command(build_parser().parse_args(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`stn models list | head`); nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run_command(parsed: argparse.Namespace) -> int:
    """Run the parsed job; what the rooms refuse becomes a sentence and exit status 1."""
    try:
        status: int = parsed.job(parsed)
    except BrokenPipeError:
        raise
    except (ValueError, OSError, ImportError) as error:
        # The rooms explain bad input in one sentence; STN_TRACEBACK shows where it was found.
        if os.environ.get("STN_TRACEBACK"):
            raise
        print(f"stn {parsed.command}: {explain(error)}", file=sys.stderr)
        return 1
    return status


def explain(error: Exception) -> str:
    """One sentence for an expected error."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"The Python package '{error.name.split('.')[0]}' is not installed. "
            "Install stn_perception with the extra that brings it: "
            "[fast], [ros], [bags], [evaluate], [train], [tabletop], "
            "[studies] or [bench]."
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__
