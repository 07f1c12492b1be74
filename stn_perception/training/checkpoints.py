# SPDX-License-Identifier: Apache-2.0
"""What a training checkpoint says about itself, read without unpickling code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from stn_perception.training.config import TrainingConfig
from stn_perception.training.tasks import task_for

_AVERAGE = "average.module."


class CheckpointError(ValueError):
    """A file that is no checkpoint of this package; the message is one sentence."""


@dataclass(frozen=True)
class Checkpoint:
    """One run's state.

    Attributes:
        config: what it was trained with.
        weights: the running average of the weights, by the network's names.
        runs: one sentence on what was seen per run, earlier runs first.
        commands: the commands of these runs.
    """

    config: TrainingConfig
    weights: dict[str, Tensor]
    runs: tuple[str, ...]
    commands: tuple[str, ...]

    def network(self) -> nn.Module:
        """Return the averaged network in evaluation mode."""
        network = task_for(self.config).network()
        network.load_state_dict(self.weights)
        return network.eval()


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged, or of something else.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}")
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises anything
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"cannot read the checkpoint {path}: {reason}") from error
    try:
        known = content["hyper_parameters"]
        config = TrainingConfig.model_validate(known["config"])
        state: dict[str, Tensor] = content["state_dict"]
        crops = int(content["global_step"]) * config.optimization.batch_size
    except (KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"{path} is not a checkpoint of a training run") from error
    weights = {k[len(_AVERAGE) :]: v for k, v in state.items() if k.startswith(_AVERAGE)}
    own = f"{crops} crops of {task_for(config).seen()}"
    earlier = known.get("earlier", [])
    command = (
        known.get("command")
        or f"stn train config/train/{config.name}.yaml --output runs/{config.name}"
    )
    return Checkpoint(
        config=config,
        weights=weights,
        runs=(*(run["seen"] for run in earlier), own),
        commands=(*(run["command"] for run in earlier), command),
    )
