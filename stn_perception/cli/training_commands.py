# SPDX-License-Identifier: Apache-2.0
"""`stn train` and `stn export`: commands that need the [train] extra."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stn_perception.cli.subcommands import Subcommands, add_json
from stn_perception.runtime.json_file import write_json


def train(parsed: argparse.Namespace) -> int:
    """Fit a network as a configuration says, or to the object of a recording (--bag)."""
    if parsed.bag is not None:
        return train_on_bag(parsed)
    from stn_perception.training.fit import compared
    from stn_perception.training.fit import train as fit

    if parsed.config is None or parsed.output is None:
        raise ValueError("expected a configuration and --output, or --bag with a recording")
    checkpoint = fit(parsed.config, resume=parsed.resume, output=parsed.output)
    print(f"checkpoint: {checkpoint}")
    result: dict[str, Any] = {"checkpoint": str(checkpoint)}
    errors = compared(checkpoint)
    if errors is not None:
        print(errors.sentence())
        result |= {"labels_given": errors.labels, "network": errors.network}
    write_json(parsed.json, result)
    return 0


def train_on_bag(parsed: argparse.Namespace) -> int:
    """Fit a network to the object of a recording and write its archive."""
    from stn_perception.training.own_bag.command import train_from_command_line

    checkpoint, archive = train_from_command_line(parsed)
    print(f"checkpoint: {checkpoint}\narchive: {archive}")
    write_json(parsed.json, {"checkpoint": str(checkpoint), "archive": str(archive)})
    return 0


def export(parsed: argparse.Namespace) -> int:
    """Write an archive from a checkpoint."""
    from stn_perception.training.export import export_archive

    export_archive(parsed.checkpoint, parsed.output, parsed.format)
    return 0


def add_training_commands(commands: Subcommands) -> None:
    """Commands that need the [train] extra."""
    from stn_perception.training.own_bag.options import add_own_bag_arguments

    fit = commands.add("train", train, "stn train config/train/planar.yaml --output runs/planar")
    fit.add_argument("config", type=Path, nargs="?", help="training configuration (YAML)")
    fit.add_argument("--output", type=Path, help="folder for checkpoints and logs (runs/NAME)")
    fit.add_argument("--resume", type=Path, help="checkpoint to go on from")
    add_own_bag_arguments(fit)
    write = commands.add("export", export, "stn export runs/planar/checkpoints/last.ckpt my.pt")
    write.add_argument("checkpoint", type=Path)
    write.add_argument("output", type=Path, help="archive to write (.pt or .pt2)")
    write.add_argument("--format", choices=["torchscript", "export"], help="else by suffix")
    add_json(fit)
