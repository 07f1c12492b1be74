# SPDX-License-Identifier: Apache-2.0
"""Runs that are small enough to be trained in a test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

# One chunk of scenes, which is the least that is drawn.
SCENES = 1000


def tiny_settings(folder: Path, epochs: int, steps: int, **more: Any) -> dict[str, Any]:
    """A configuration's values; `folder` is where scenes are kept."""
    optimization = {
        "epochs": epochs,
        "steps_per_epoch": steps,
        "batch_size": 32,
        "learning_rate": 0.005,
        "average_decay": 0.97,
        "threads": 1,
        "loader_workers": 0,
    }
    optimization |= more.pop("optimization", {})
    return {
        "name": "tiny",
        "device": "cpu",
        "refinement_steps": 1,
        "scenes": {"count": SCENES, "workers": 1, "folder": str(folder)},
        "network": {"input_size": 32, "widths": [8, 16, 16, 16]},
        "optimization": optimization,
    } | more


def write_config(path: Path, settings: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def start_training(config: Path, output: Path, *more: str, **popen: Any) -> subprocess.Popen[str]:
    """`stn train` as a process of its own."""
    command = [sys.executable, "-m", "stn_perception.cli", "train", str(config)]
    return subprocess.Popen(
        [*command, "--output", str(output), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        **popen,
    )


def finished(process: subprocess.Popen[str], timeout_s: float = 600.0) -> tuple[str, str]:
    """What a process said until its end, on both streams; one that does not end is killed."""
    try:
        return process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
