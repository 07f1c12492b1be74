# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to an archive: averaged weights, folded, calibrated, verified."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard, TrainingRecord
from stn_perception.training.checkpoints import Checkpoint, read_checkpoint
from stn_perception.training.tasks import CalibratedTask, ListsMaterials, Task, task_for

Format = Literal["torchscript", "export"]

# Folding the normalisation and another compiler may differ by rounding, and by no more.
MAX_DIFFERENCE = 1e-4


class ExportError(ValueError):
    """An archive that does not say what the network says; the message is one sentence."""


@runtime_checkable
class _Folding(Protocol):
    """A network whose normalisation folds into its convolutions."""

    def fold(self) -> None: ...


def card_of(checkpoint: Checkpoint, task: Task) -> ModelCard:
    """Return the card of a trained network; scores come later."""
    config = checkpoint.config
    data = ", then ".join(checkpoint.runs)
    if isinstance(task, ListsMaterials):
        data = f"{data}; {task.materials()}"
    record = TrainingRecord(
        data=data,
        command=" && ".join(checkpoint.commands),
        seed=config.seed,
        held_out=task.held_out_text(),
    )
    fields = {
        "name": config.name,
        "version": config.version,
        "description": config.description,
        "license": "Apache-2.0",
        "refinement_steps": config.refinement_steps,
        "training": record,
    }
    return ModelCard.model_validate(fields | task.card_fields())


def _probe(card: ModelCard) -> Tensor:
    """Return crops as an archive takes them, N×C×h×w in [0, 1]."""
    generator = torch.Generator().manual_seed(card.training.seed)
    return torch.rand(
        (16, card.channels, card.input_height, card.input_width), generator=generator
    )


def _normalized(crops: Tensor, card: ModelCard) -> Tensor:
    shape = (1, -1, 1, 1)
    return (crops - torch.tensor(card.mean).reshape(shape)) / torch.tensor(card.std).reshape(shape)


def _difference(expected: dict[str, Tensor], archive: ModelArchive, crops: Tensor) -> float:
    """Return the largest absolute difference over all outputs; infinite where one is missing."""
    output = archive.predict(crops)
    largest = 0.0
    for name, values in expected.items():
        found = getattr(output, name)
        if found is None:
            return math.inf
        truth = values.double().reshape(found.shape).numpy()
        largest = max(largest, float(np.abs(found - truth).max()))
    return largest


def _program(
    network: nn.Module, crops: Tensor, format: Format
) -> torch.jit.ScriptModule | torch.export.ExportedProgram:
    if format == "torchscript":
        scripted: torch.jit.ScriptModule = torch.jit.script(network)
        return scripted
    batch = torch.export.Dim("batch", min=1, max=4096)
    return torch.export.export(network, (crops,), dynamic_shapes=({0: batch},))


def export_archive(
    checkpoint: Path,
    output: Path,
    format: Format = "torchscript",
    samples: int = 1500,
) -> Path:
    """Write a checkpoint's averaged network as an archive and verify what was written.

    The predicted standard deviations are scaled to hold 68.27 % of the errors on held-out scenes,
    the batch normalisation is folded, and the file is opened by the runtime and run against the
    training-time module; the largest difference is printed.

    Args:
        checkpoint: of ``train``.
        output: ``.pt`` for ``torchscript``, ``.pt2`` for ``export``.
        format: which of the two to write.
        samples: held-out scenes to scale the standard deviations on.

    Returns:
        ``output``.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the archive differs from the module by more than ``MAX_DIFFERENCE``; no file
            is left.
        ArchiveError: format and suffix do not belong together.
    """
    trained = read_checkpoint(checkpoint)
    task = task_for(trained.config)
    network, card = trained.network(), card_of(trained, task)
    said = ""
    if isinstance(task, CalibratedTask):
        said = f"standard deviations × {task.calibrate(network, card, samples):.3f}, "
    crops = _probe(card)
    inputs = _normalized(crops, card)
    with torch.inference_mode():
        expected = network(inputs)
    folded = copy.deepcopy(network)
    if isinstance(folded, _Folding):
        folded.fold()
    nn.Module.requires_grad_(folded, False)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_archive(output, _program(folded, inputs, format), card)
    difference = _difference(expected, ModelArchive.open(output, device="cpu"), crops)
    print(
        f"{output}: {said}largest difference from the training-time module {difference:.2e} "
        f"(at most {MAX_DIFFERENCE:.0e})"
    )
    if not difference <= MAX_DIFFERENCE:
        output.unlink()
        raise ExportError(
            f"the archive differs from the training-time module by {difference:.2e}, expected at "
            f"most {MAX_DIFFERENCE:.0e}"
        )
    return output
