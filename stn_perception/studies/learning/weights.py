# SPDX-License-Identifier: Apache-2.0
"""Files of a study's trained networks: small, and with the facts of their training."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.errors import StudyError

_FOLDER = Path(__file__).resolve().parents[1] / "weights"


@dataclass(frozen=True)
class TrainingFacts:
    """How a network came to be.

    Attributes:
        command: That trained it.
        seed: Of its initialisation and its samples.
        parameters: Numbers that it learns.
        samples: Training samples that it saw, each time counted.
        seconds: That the training took.
        threads: CPU threads meanwhile.
        device: Where it ran.
        validation: Figures on the validation split, of the weights before they were rounded.
    """

    command: str
    seed: int
    parameters: int
    samples: int
    seconds: float
    threads: int
    device: str
    validation: Mapping[str, float]


def shipped_weights(study: str) -> Path:
    """Return the folder of the weights that come with the package."""
    return _FOLDER / study


def weights_path(folder: Path, row: str, seed: int) -> Path:
    """Return where the weights of one row and seed lie in a folder."""
    return folder / f"{row}-{seed}.pt"


def write_weights(path: Path, network: nn.Module, facts: TrainingFacts) -> None:
    """Write a network's state in half precision; its folder is made if need be.

    Raises:
        StudyError: A weight is too large for half precision, or no number.
    """
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in network.state_dict().items()
    }
    for name, value in state.items():
        if not bool(torch.isfinite(value).all()):
            raise StudyError(f"the weights {name} are not finite numbers of half precision.")
    content = io.BytesIO()
    torch.save({"facts": asdict(facts), "state": state}, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, content.getvalue())


def read_weights(path: Path, network: nn.Module) -> TrainingFacts:
    """Fill a network with a file's weights.

    Raises:
        StudyError: The file cannot be read, or is of another network.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        facts = TrainingFacts(**content["facts"])
        network.load_state_dict(content["state"])
    except Exception as error:
        # torch.load raises whatever its unpickler meets in a damaged file.
        raise StudyError(
            f"{path} holds no weights of this network: {str(error).strip().splitlines()[0]}"
        ) from error
    return facts
