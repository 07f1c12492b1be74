# SPDX-License-Identifier: Apache-2.0
"""A model archive: one file with a network and its card, verified when it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from stn_perception.runtime.archive_errors import ArchiveError, ModelError
from stn_perception.runtime.archive_file import (
    CARD_FILE,
    ArchiveFormat,
    archive_format,
    first_line,
    load_exported,
    load_torchscript,
    read_archive,
)
from stn_perception.runtime.archive_writing import save_archive, weights_sha256
from stn_perception.runtime.devices import reproducible_inference, resolve_device
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.network_output import NetworkOutput, read_network_output
from stn_perception.runtime.shipped_models import resolve_model, shipped_models

__all__ = [
    "ArchiveError",
    "ModelArchive",
    "ModelError",
    "NetworkOutput",
    "resolve_model",
    "save_archive",
    "shipped_models",
    "weights_sha256",
]

Network = Callable[[torch.Tensor], Any]
_PROBE_SIZES = (1, 2)


class ModelArchive:
    """An opened and probed network with its card; use ``ModelArchive.open``.

    Attributes:
        card: The card in the file, or the one given for a card-less file.
        device: Where the network runs.
        path: The file it came from.
        format: ``torchscript`` or ``export``.
    """

    def __init__(
        self,
        network: Network,
        card: ModelCard,
        device: torch.device,
        path: Path,
        format: ArchiveFormat,
    ) -> None:
        self.card = card
        self.device = device
        self.path = path
        self.format: ArchiveFormat = format
        self._network = network
        shape = (1, -1, 1, 1)
        self._mean = torch.tensor(card.mean, dtype=torch.float32, device=device).reshape(shape)
        self._std = torch.tensor(card.std, dtype=torch.float32, device=device).reshape(shape)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        device: str = "auto",
        cardless: ModelCard | None = None,
    ) -> ModelArchive:
        """Load, verify and probe an archive.

        Args:
            path: A TorchScript (``.pt``) or ``torch.export`` (``.pt2``) file, or the name of
                a shipped model.
            device: ``auto`` (CUDA if there is one), ``cpu``, ``cuda`` or ``cuda:N``.
            cardless: Card for a file without one; a card in the file wins.

        Raises:
            ArchiveError: One sentence on why the file cannot be used.
        """
        file = resolve_model(path)
        where = resolve_device(device)
        content = read_archive(file)
        kind = archive_format(content, file)
        network: Network
        if kind == "torchscript":
            module, card_text = load_torchscript(content, file, where)
            card = _card(card_text, cardless, file)
            _verify_weights(module, card, file)
            # Not frozen: in PyTorch 2.13 an error in a frozen graph without the profiling
            # executor ends the process instead of raising.
            network = module.eval()
        else:
            program, card_text = load_exported(content, file)
            card = _card(card_text, cardless, file)
            _verify_weights(program, card, file)
            network = program.module().to(where)
        archive = cls(network, card, where, file, kind)
        archive._probe()
        return archive

    def predict(self, crops: NDArray[np.float32] | torch.Tensor) -> NetworkOutput:
        """Run the network.

        Args:
            crops: float32 N×C×h×w in [0, 1], RGB or gray as the card says.

        Raises:
            ModelError: The network failed, or returned something of the wrong type or shape.
        """
        batch = torch.as_tensor(crops)
        expected = (self.card.channels, self.card.input_height, self.card.input_width)
        if batch.ndim != 4 or tuple(batch.shape[1:]) != expected or batch.dtype != torch.float32:
            raise ModelError(
                f"The crops are {batch.dtype} {tuple(batch.shape)}, "
                f"expected torch.float32 (N, {expected[0]}, {expected[1]}, {expected[2]})."
            )
        if len(batch) == 0:
            return NetworkOutput(theta=np.zeros((0, 3, 3)))
        with reproducible_inference(self.device):
            try:
                # A copy in any case: the network may write into its input.
                normalised = torch.sub(batch.to(self.device), self._mean).div_(self._std)
                output = self._network(normalised)
            except (torch.jit.Error, RuntimeError, ValueError, AssertionError) as error:
                raise ModelError(
                    f"The network failed on {len(batch)} crops: {first_line(error)}."
                ) from error
            return read_network_output(output, len(batch))

    def differentiable_theta(self, crops: torch.Tensor) -> torch.Tensor:
        """Theta as a function of the crops that autograd can go back through.

        Args:
            crops: As for ``predict``, on the archive's device, ``requires_grad`` set.

        Returns:
            N×3×3, crop_from_view in normalised axes.

        Raises:
            ModelError: The network failed, or its program has no gradient.
        """
        with torch.enable_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            try:
                output = self._network((crops - self._mean) / self._std)
            except (torch.jit.Error, RuntimeError, ValueError, AssertionError) as error:
                raise ModelError(f"The network failed: {first_line(error)}.") from error
            theta: torch.Tensor = output if isinstance(output, torch.Tensor) else output["theta"]
            if not theta.requires_grad:
                raise ModelError("The network's program gives no gradient of theta.")
            if theta.shape[1] == 2:
                last = theta.new_tensor([0.0, 0.0, 1.0]).expand(len(theta), 1, 3)
                theta = torch.cat([theta, last], dim=1)
            return theta

    def warm_up(self, batch_sizes: Iterable[int]) -> None:
        """Run every batch size that will be used, so that no later call pays for the first."""
        for size in sorted({size for size in batch_sizes if size > 0}):
            for _ in range(2):  # kernels are chosen in the first run, memory settles in the second
                self.predict(self._probe_crops(size))

    def _probe(self) -> None:
        for size in _PROBE_SIZES:
            try:
                output = self.predict(self._probe_crops(size))
            except ModelError as error:
                raise ArchiveError(
                    f"The model file {self.path} failed its probe: {error}"
                ) from error
            for name in ("theta", "log_variance", "score", "class_logits"):
                values = getattr(output, name)
                if values is not None and not np.isfinite(values).all():
                    raise ArchiveError(
                        f"The model file {self.path} failed its probe: {name} is not finite."
                    )

    def _probe_crops(self, size: int) -> torch.Tensor:
        card = self.card
        count = size * card.channels * card.input_height * card.input_width
        ramp = torch.arange(count, dtype=torch.float32) * 0.61803398875 % 1.0
        return ramp.reshape(size, card.channels, card.input_height, card.input_width)


def _card(text: str, cardless: ModelCard | None, path: Path) -> ModelCard:
    if not text:
        if cardless is None:
            raise ArchiveError(
                f"The model file {path} has no card ({CARD_FILE}); give the input size and "
                "normalisation by parameters."
            )
        return cardless
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "card"
        raise ArchiveError(
            f"The card of the model file {path} is not valid: {field}: {first['msg']}."
        ) from error


def _verify_weights(
    program: torch.nn.Module | torch.export.ExportedProgram, card: ModelCard, path: Path
) -> None:
    if not card.weights_sha256:
        return
    actual = weights_sha256(program)
    if actual != card.weights_sha256:
        raise ArchiveError(
            f"The weights of the model file {path} have SHA-256 {actual[:12]}…, but its card "
            f"says {card.weights_sha256[:12]}…."
        )
