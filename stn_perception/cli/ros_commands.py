# SPDX-License-Identifier: Apache-2.0
"""`stn run`, `stn replay`, `stn demo`: commands that need a middleware."""

from __future__ import annotations

import argparse
from pathlib import Path

from stn_perception.cli.subcommands import Subcommands, add_json


def demo(parsed: argparse.Namespace) -> int:
    """Play the sample through the real graph and draw the page."""
    from stn_perception.node.demo import demo as run_demo

    return run_demo(
        output=parsed.output,
        model=parsed.model,
        bag=parsed.bag,
        json_path=parsed.json,
        rate=parsed.rate,
        duration_s=parsed.duration,
    )


def run_node(parsed: argparse.Namespace) -> int:
    """Start the canonicalizer node with the launch files' arguments."""
    from stn_perception.node.launch_arguments import CANONICALIZER_ARGUMENTS
    from stn_perception.node.run import run

    return run({item.name: getattr(parsed, item.name) for item in CANONICALIZER_ARGUMENTS})


def replay(parsed: argparse.Namespace) -> int:
    """Publish a bag into ROS."""
    from stn_perception.node.player import run

    return run(parsed)


def add_ros_commands(commands: Subcommands) -> None:
    """Commands that need a middleware."""
    from stn_perception.node.launch_arguments import CANONICALIZER_ARGUMENTS
    from stn_perception.node.player_options import add_arguments

    start = commands.add("run", run_node, "stn run --model planar --cameras front,rear")
    for item in CANONICALIZER_ARGUMENTS:
        start.add_argument(
            f"--{item.name.replace('_', '-')}", default=item.default, help=item.description
        )
    play = commands.add("replay", replay, "stn replay samples/duckiebot --rate 0.5")
    add_arguments(play)
    show = commands.add("demo", demo, "stn demo --output demo-out --json demo.json")
    show.add_argument("--output", type=Path, default=Path("demo-out"), help="folder for the page")
    show.add_argument("--model", default="planar", help="archive or shipped name")
    show.add_argument("--bag", type=Path, help="another bag than the sample")
    show.add_argument("--rate", type=float, default=1.0, help="playback speed (1)")
    show.add_argument("--duration", type=float, help="only so many seconds of the bag")
    add_json(show)
