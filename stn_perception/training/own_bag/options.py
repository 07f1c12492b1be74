# SPDX-License-Identifier: Apache-2.0
"""The options of `stn train --bag`, declared without importing what they need."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_own_bag_arguments(fit: argparse.ArgumentParser) -> None:
    """Declare them; what is left out is the configuration's."""
    own = fit.add_argument_group(
        "a canonicalizer for an object of your own",
        "stn train --strategy unsupervised --bag my.mcap --name mug",
    )
    own.add_argument("--bag", type=Path, help="recording of the object, or folder of pictures")
    own.add_argument("--name", help="of the model (the recording's name)")
    own.add_argument("--strategy", choices=["unsupervised"], help="how a recording is learned")
    own.add_argument("--topic", default="", help="image topic (the bag's only one)")
    own.add_argument(
        "--detections", default="", help="topic of the boxes (the bag's only one), or full_frame"
    )
    own.add_argument("--only", default="", help="detections with this id or class alone")
    own.add_argument("--device", default="", choices=["", "auto", "cpu", "gpu"], help="(auto)")
