# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to an archive: averaged weights, folded, calibrated, verified."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard, TrainingRecord
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork
from stn_perception.training.calibration import sigma_factor
from stn_perception.training.checkpoints import Checkpoint, read_checkpoint
from stn_perception.training.config import TrainingConfig
from stn_perception.training.scenes import HELD_OUT, TRAINING, Materials

Format = Literal["torchscript", "export"]

# Folding the normalisation and another compiler may differ by rounding, and by no more.
MAX_DIFFERENCE = 1e-4


class ExportError(ValueError):
    """An archive that does not say what the network says; the message is one sentence."""


def _listed(materials: Materials) -> str:
    return (
        f"photographs of scikit-image ({', '.join(materials.photographs)}), Hershey fonts "
        f"{list(materials.fonts)}, fiducials of {', '.join(materials.dictionaries)}, sign shapes "
        f"{', '.join(materials.shapes)}"
    )


def card_of(checkpoint: Checkpoint) -> ModelCard:
    """Return the card of a trained network; scores come later."""
    config = checkpoint.config
    crops, size = config.crops, config.network.input_size
    return ModelCard(
        name=config.name,
        version=config.version,
        description=config.description,
        license="Apache-2.0",
        family="projective",
        input_width=size,
        input_height=size,
        channels=1,
        crop_shape="stretch",
        box_margin=crops.box_margin,
        box_sigma=config.scenes.box_jitter,
        refinement_steps=config.refinement_steps,
        refinement_margin=crops.refinement_margin,
        view_width=2 * size,
        view_height=2 * size,
        symmetry=4,
        training=TrainingRecord(
            data=f"{', then '.join(checkpoint.runs)}; {_listed(TRAINING)}",
            command=" && ".join(checkpoint.commands),
            seed=config.seed,
            held_out=_listed(HELD_OUT),
        ),
    )


def _probe(config: TrainingConfig) -> Tensor:
    generator = torch.Generator().manual_seed(config.seed)
    size = config.network.input_size
    return torch.rand((16, 1, size, size), generator=generator)


def _difference(expected: dict[str, Tensor], archive: ModelArchive, crops: Tensor) -> float:
    output = archive.predict(crops)
    pairs = [
        (output.theta, expected["theta"]),
        (output.log_variance, expected["log_variance"]),
        (output.score, expected["score"]),
    ]
    return max(float(np.abs(found - truth.numpy()).max()) for found, truth in pairs)


def _program(
    network: CornerHeatmapNetwork, crops: Tensor, format: Format
) -> torch.jit.ScriptModule | torch.export.ExportedProgram:
    if format == "torchscript":
        scripted: torch.jit.ScriptModule = torch.jit.script(network)
        return scripted
    batch = torch.export.Dim("batch", min=1, max=4096)
    return torch.export.export(network, (crops,), dynamic_shapes={"crops": {0: batch}})


def _calibrate(
    network: CornerHeatmapNetwork, card: ModelCard, config: TrainingConfig, samples: int
) -> float:
    # The network's own deviations are scaled, without what the box would add to them.
    card = card.model_copy(update={"box_sigma": 0.0})
    archive = ModelArchive(network, card, torch.device("cpu"), Path(), "torchscript")
    factor = sigma_factor(archive, config.scenes.settings, samples)
    with torch.no_grad():
        network.log_variance_shift.add_(2 * math.log(factor))
    return factor


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
    network, config, card = trained.network(), trained.config, card_of(trained)
    factor = _calibrate(network, card, config, samples)
    crops = _probe(config)
    with torch.inference_mode():
        expected = network(crops)
    folded = copy.deepcopy(network)
    folded.fold()
    nn.Module.requires_grad_(folded, False)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_archive(output, _program(folded, crops, format), card)
    difference = _difference(expected, ModelArchive.open(output, device="cpu"), crops)
    print(
        f"{output}: standard deviations × {factor:.3f}, largest difference from the "
        f"training-time module {difference:.2e}"
    )
    if not difference <= MAX_DIFFERENCE:
        output.unlink()
        raise ExportError(
            f"the archive differs from the training-time module by {difference:.2e}, expected at "
            f"most {MAX_DIFFERENCE:.0e}"
        )
    return output
