# SPDX-License-Identifier: Apache-2.0
"""Options of `stn label`, and its run."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

SUMMARY = "Click the corners of objects on a recording's frames, in a local web page."
EXAMPLE = "stn label my_bag --output labels.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("bag", help="recording: a bag folder, a file, or a URL")
    parser.add_argument("--camera", help="name of the camera in the file (from the topic)")
    parser.add_argument("--image", metavar="TOPIC", help="its images (the bag's only ones)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file of labels, continued where it exists (NAME.labels.json in this folder)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="step by so many frames on the page (1)"
    )


def run(parsed: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from stn_perception.bags.labelling.serving import Wanted, label

    if parsed.every < 1:
        raise ValueError(f"--every is {parsed.every}, expected at least 1")
    output = parsed.output or output_path(parsed.bag)
    wanted = Wanted(
        parsed.bag,
        output,
        parsed.camera,
        parsed.image,
        parsed.host,
        parsed.port,
        parsed.every,
        not parsed.no_browser,
    )
    label(wanted)
    return 0


def output_path(bag: str) -> Path:
    """Where the labels of a bag go when no file is named: NAME.labels.json in this folder."""
    local = Path(bag)
    name = (
        local.resolve().name
        if local.exists()
        else bag.partition("?")[0].rstrip("/").split("/")[-1]
    )
    return Path(f"{re.sub(r'[.](mcap|db3|bag)$', '', name) or 'bag'}.labels.json")
