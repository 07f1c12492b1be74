# SPDX-License-Identifier: Apache-2.0
"""`stn train --bag`: from a recording of one object to an archive that canonicalizes it."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Any

import cv2
from pydantic import ValidationError

from stn_perception.training.config import ConfigError, TrainingConfig, load_config
from stn_perception.training.export import export_archive
from stn_perception.training.fit import check_resume, fit
from stn_perception.training.own_bag.task import BagTask

# A few minutes on two cores; config/train/object_unsupervised.yaml explains each value.
DEFAULTS: dict[str, Any] = {
    "task": "bag",
    "strategy": "unsupervised",
    "refinement_steps": 1,
    "description": "The object of one recording, to the view that was learned to be the same.",
    "network": {"input_size": 64, "widths": [16, 32, 48, 64]},
    "optimization": {
        "epochs": 6,
        "steps_per_epoch": 100,
        "batch_size": 64,
        "learning_rate": 0.003,
        "average_decay": 0.99,
        "threads": 1,
        "loader_workers": 1,
    },
}


def train_on_bag(
    config: TrainingConfig, output: Path, resume: Path | None = None, command: str = ""
) -> tuple[Path, Path]:
    """Train on a recording and export what was learned.

    The recording is read and checked before anything is written.

    Args:
        config: of the run, task ``bag``.
        output: folder for checkpoints, logs and the archive.
        resume: checkpoint of the same configuration to go on from, or none.
        command: the command that started it, for the card.

    Returns:
        The last checkpoint and the archive.

    Raises:
        ConfigError: the checkpoint to resume is of another run.
        OwnBagError: the recording cannot be trained on.
    """
    if resume is not None:
        check_resume(resume, config)
    # OpenCV's own threads, once started, would not survive into the loader's forked workers.
    cv2.setNumThreads(0)
    task = BagTask(config)
    task.read()
    output.mkdir(parents=True, exist_ok=True)
    checkpoint = fit(config, output, resume, command, task)
    return checkpoint, export_archive(checkpoint, output / f"{config.name}.pt")


def config_for_bag(
    bag: Path,
    name: str,
    base: Path | None = None,
    device: str = "",
    **options: str,
) -> TrainingConfig:
    """Return the configuration of a run from what the command line says.

    Args:
        bag: recording, or folder of pictures.
        name: of the model.
        base: configuration to start from; the defaults when None.
        device: ``auto``, ``cpu`` or ``gpu``; empty leaves the configuration's.
        options: fields of ``BagConfig`` (topic, detections, only); empty ones leave it as it is.

    Raises:
        ConfigError: a value is wrong; the message names it.
    """
    values = DEFAULTS if base is None else load_config(base).model_dump(mode="json")
    if values["task"] != "bag":
        raise ConfigError(f"{base} is of the task {values['task']}, expected bag")
    given = {key: value for key, value in options.items() if value}
    changes: dict[str, Any] = {
        "name": name,
        "bag": {**(values.get("bag") or {}), "path": str(bag), **given},
    }
    if device:
        changes["device"] = device
    try:
        return TrainingConfig.model_validate({**values, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the configuration"
        raise ConfigError(f"{where} is {first.get('input')!r}: {first['msg']}") from error


def train_from_command_line(parsed: argparse.Namespace) -> tuple[Path, Path]:
    """Train as ``stn train --bag`` was asked to; see ``train_on_bag``.

    Raises:
        ConfigError: a value is wrong; the message names it.
    """
    name = parsed.name or re.sub(r"[^a-z0-9_]+", "_", parsed.bag.stem.lower()).strip("_")
    options = {key: getattr(parsed, key) for key in ("topic", "detections", "only")}
    config = config_for_bag(parsed.bag, name, parsed.config, parsed.device, **options)
    output = parsed.output or Path("runs") / name
    words = ["stn", "train", *([str(parsed.config)] if parsed.config else [])]
    words += ["--strategy", config.strategy, "--bag", str(parsed.bag), "--name", name]
    for key in ("topic", "detections", "only", "device"):
        if getattr(parsed, key):
            words += [f"--{key}", getattr(parsed, key)]
    words += ["--output", str(output)]
    return train_on_bag(config, output, parsed.resume, shlex.join(words))
