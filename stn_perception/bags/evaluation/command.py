# SPDX-License-Identifier: Apache-2.0
"""Options of `stn evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from stn_perception.bags.interruption import interruptible

SUMMARY = "Every image of recordings through the pipeline: metrics, a report, a gate."
EXAMPLE = (
    "stn evaluate last_month/*.mcap --model planar --model mine.pt --truth fiducials:tag36h11"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add = parser.add_argument
    add("bags", nargs="+", metavar="BAG", help="bag folder, .mcap, .db3 or .bag file, or a URL")
    add(
        "--model",
        action="append",
        default=[],
        help="shipped name or archive; given again: compared (the parameters' model)",
    )
    add("--params", type=Path, metavar="FILE", help="the node's parameter file")
    add("--image", action="append", default=[], metavar="TOPIC", help="image topic; repeatable")
    add("--detections", metavar="TOPIC", help="topic of the boxes; '' for none (by name or type)")
    add(
        "--boxes",
        default="auto",
        choices=["auto", "detections", "truth", "full_frame", "fixed"],
        help="where boxes come from (auto: as the node, else the truth, else the frame)",
    )
    add(
        "--truth",
        default="none",
        help="none, topic:NAME, tf:FRAME=WIDTH,HEIGHT;…, file:PATH or fiducials:FAMILY[:LAYOUT]",
    )
    add(
        "--references",
        type=Path,
        metavar="FOLDER",
        help="canonical pictures named by object id or class: PSNR and SSIM of the views",
    )
    add("--output", type=Path, default=Path("evaluation-out"), help="folder of the report")
    add(
        "--thresholds", type=Path, metavar="FILE", help="limits; exit status 3 where one is broken"
    )
    add("--write", type=Path, metavar="OUT.mcap", help="the input with the node's topics beside")
    add("--workers", type=int, metavar="N", help="processes; 0: this one (one a core)")
    add("--scheduler", default="", metavar="ADDRESS", help="of a Dask cluster, host:port")
    add("--memory-limit", default="2GiB", help="of each process on this machine (2GiB)")
    add("--pin", action="store_true", help="keep each process to a core of its own")
    add("--chunk-frames", type=int, default=64, help="frames in a piece of work (64)")
    add(
        "--batch-frames",
        type=int,
        metavar="N",
        help="frames through the network at once; 1 is the node's bits (8; 1 with --write)",
    )
    add("--cache", type=Path, metavar="FOLDER", help="for downloads and sound copies")
    add(
        "--probe-every",
        type=int,
        default=10,
        metavar="N",
        help="turn the crops of one frame in N to see whether views stay; 0: none (10)",
    )
    add("--probe-angle", type=float, default=30.0, metavar="DEG", help="by up to so much (30)")


def run(parsed: argparse.Namespace) -> int:
    """Evaluate recordings, write the report, check the limits."""
    from stn_perception.bags.evaluation.early_start import start_loading
    from stn_perception.bags.evaluation.lasting_imports import lasting_imports

    if parsed.workers != 0 and not parsed.scheduler:
        start_loading()  # whether workers pay is known only after what follows has loaded
    with lasting_imports():
        from stn_perception.bags.evaluation.from_command_line import evaluate

    with interruptible():
        return evaluate(parsed)
