# SPDX-License-Identifier: Apache-2.0
"""The options of `stn models explain`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_explain_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("name", help="archive, or the name of a shipped one")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--bag", type=Path, help="recording to look at")
    source.add_argument("--folder", type=Path, help="folder of pictures, labelled or not")
    source.add_argument("--generated", type=int, metavar="N", help="so many held-out scenes")
    parser.add_argument("--topic", default="", help="image topic (the bag's only one)")
    parser.add_argument(
        "--detections", default="", help="topic of the boxes (the bag's only one), or full_frame"
    )
    parser.add_argument("--truth", type=Path, help="true corners (truth.json, labels.json)")
    parser.add_argument("--seed", type=int, default=7, help="of scenes and box errors (7)")
    parser.add_argument("--limit", type=int, default=500, help="cases at most (500)")
    parser.add_argument("--output", type=Path, required=True, help="the page (.html)")
