# SPDX-License-Identifier: Apache-2.0
"""The studies that `stn study` offers, each a folder with a ``command`` module.

A ``command`` module is imported to build the command line, so it imports nothing heavy itself:
``SUMMARY`` and ``EXAMPLE`` for the help, ``add_arguments(parser)``, ``run(parsed) -> int``.
``parsed.train`` asks for new weights instead of the committed ones, ``parsed.json`` is where the
figures for machines go, or None.
"""

from __future__ import annotations

from pathlib import Path

NAMES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/command.py")))
