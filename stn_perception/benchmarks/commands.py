# SPDX-License-Identifier: Apache-2.0
"""The benchmarks that `stn bench` offers, each a folder with a ``command`` module.

A ``command`` module is imported to build the command line, so it imports nothing heavy itself:
``SUMMARY`` and ``EXAMPLE`` for the help, ``add_arguments(parser)``, ``run(parsed) -> int``.
"""

from __future__ import annotations

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
