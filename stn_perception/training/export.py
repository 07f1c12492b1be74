# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to an archive: averaged weights, folded, calibrated, verified."""

from __future__ import annotations

import copy
import math
import os
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard, Score, TrainingRecord
from stn_perception.training.checkpoints import Checkpoint, read_checkpoint
from stn_perception.training.labels.comparison import Compared
from stn_perception.training.tasks import (
    CalibratedTask,
    ComparedTask,
    ListsMaterials,
    Task,
    task_for,
)

Format = Literal["torchscript", "export"]

# Folding the normalisation and another compiler may differ by rounding, and by no more.
MAX_DIFFERENCE = 1e-4
_PROBE_BATCHES = (1, 2, 16)


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


def _probe(card: ModelCard, count: int) -> Tensor:
    """Return crops as an archive takes them, N×C×h×w in [0, 1]."""
    generator = torch.Generator().manual_seed(card.training.seed)
    shape = (count, card.channels, card.input_height, card.input_width)
    return torch.rand(shape, generator=generator)


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
        if name == "log_variance":
            # As standard deviations, in half crops like theta: a logarithm of next to nothing
            # would make rounding look large.
            found, truth = np.exp(0.5 * found), np.exp(0.5 * truth)
        largest = max(largest, float(np.abs(found - truth).max()))
    return largest


def _program(
    network: nn.Module, crops: Tensor, format: Format
) -> torch.jit.ScriptModule | torch.export.ExportedProgram:
    """Return the network as one of the two programs an archive may hold.

    Raises:
        ExportError: the network uses what the format cannot express.
    """
    try:
        if format == "torchscript":
            scripted: torch.jit.ScriptModule = torch.jit.script(network)
            return scripted
        batch = torch.export.Dim("batch", min=1, max=4096)
        return torch.export.export(network, (crops,), dynamic_shapes=({0: batch},))
    except Exception as error:  # both compilers raise anything on what they do not know
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"the network cannot be written as {format}: {reason}") from error


def format_of(output: Path) -> Format:
    """Return the format that a suffix stands for.

    Raises:
        ExportError: it stands for none.
    """
    formats: dict[str, Format] = {".pt": "torchscript", ".pt2": "export"}
    if output.suffix not in formats:
        raise ExportError(f"{output} ends in {output.suffix!r}, expected .pt or .pt2")
    return formats[output.suffix]


def _largest_difference(network: nn.Module, card: ModelCard, path: Path) -> float:
    """Open a file as the runtime does and compare it at several batch sizes."""
    archive = ModelArchive.open(path, device="cpu")
    largest = 0.0
    for count in _PROBE_BATCHES:
        crops = _probe(card, count)
        with torch.inference_mode():
            expected = network(_normalized(crops, card))
        largest = max(largest, _difference(expected, archive, crops))
    return largest


def export_archive(
    checkpoint: Path,
    output: Path,
    format: Format | None = None,
    samples: int = 1500,
) -> Path:
    """Write a checkpoint's averaged network as an archive, verified before it is there.

    Where the task can, the predicted standard deviations are scaled to hold 68.27 % of the errors
    on held-out samples. The batch normalisation is folded; the file is opened by the runtime and
    run against the training-time module, and the largest difference is printed.

    Args:
        checkpoint: of ``train``.
        output: ``.pt`` for ``torchscript``, ``.pt2`` for ``export``.
        format: which of the two to write; without it the suffix decides.
        samples: held-out samples to scale the standard deviations on.

    Returns:
        ``output``.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the network cannot be written in this format, or the archive differs from
            the module by more than ``MAX_DIFFERENCE``; what stood at ``output`` before stays.
        ArchiveError: format and suffix do not belong together.
    """
    chosen = format or format_of(output)
    trained = read_checkpoint(checkpoint)
    task = task_for(trained.config)
    network, card = trained.network(), card_of(trained, task)
    said = ""
    if isinstance(task, CalibratedTask):
        said = f"standard deviations × {task.calibrate(network, card, samples):.3f}, "
    if isinstance(task, ComparedTask):
        card = _with_comparison(card, task.compare(network))
    folded = copy.deepcopy(network)
    if isinstance(folded, _Folding):
        folded.fold()
    nn.Module.requires_grad_(folded, False)
    program = _program(folded, _normalized(_probe(card, 2), card), chosen)
    output.parent.mkdir(parents=True, exist_ok=True)
    unverified = output.with_name(f".unverified-{os.getpid()}-{output.name}")
    try:
        save_archive(unverified, program, card)
        difference = _largest_difference(network, card, unverified)
        print(
            f"{output}: {chosen}, {said}largest difference from the training-time module "
            f"{difference:.2e} (at most {MAX_DIFFERENCE:.0e})"
        )
        if not difference <= MAX_DIFFERENCE:
            raise ExportError(
                f"the archive differs from the training-time module by {difference:.2e}, expected "
                f"at most {MAX_DIFFERENCE:.0e}"
            )
        os.replace(unverified, output)
    finally:
        unverified.unlink(missing_ok=True)
    return output


def _with_comparison(card: ModelCard, compared: Compared | None) -> ModelCard:
    """Put the errors of the labels beside the network's."""
    if compared is None:
        return card
    scores = [
        Score(
            name=f"held-out scenes: {who}: {name}",
            value=round(value, 4),
            samples=compared.samples,
            command=card.training.command,
        )
        for who, figures in (("labels given", compared.labels), ("network", compared.network))
        for name, value in figures.items()
    ]
    return card.model_copy(update={"scores": tuple(scores)})
