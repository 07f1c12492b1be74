# SPDX-License-Identifier: Apache-2.0
"""Writing a model archive, completely or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import torch

from stn_perception.runtime.archive_errors import ArchiveError
from stn_perception.runtime.archive_file import CARD_FILE
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.whole_file import write_whole_file


def save_archive(
    path: str | os.PathLike[str],
    program: torch.jit.ScriptModule | torch.export.ExportedProgram,
    card: ModelCard,
) -> ModelCard:
    """Write network and card as one file, completely or not at all.

    Args:
        path: Target; ``.pt`` for a scripted module, ``.pt2`` for an exported program.
        program: The network in eval mode.
        card: Its card; ``weights_sha256`` is filled in here.

    Returns:
        The card as written.

    Raises:
        ArchiveError: Network and suffix do not belong together.
    """
    target = Path(path)
    exported = isinstance(program, torch.export.ExportedProgram)
    if not exported and not isinstance(program, torch.jit.ScriptModule):
        raise ArchiveError(
            f"A {type(program).__name__} cannot be archived, expected a scripted module or an "
            "exported program."
        )
    suffix = ".pt2" if exported else ".pt"
    if target.suffix != suffix:
        raise ArchiveError(
            f"The model file {target} has the suffix '{target.suffix}', expected '{suffix}'."
        )
    card = card.model_copy(update={"weights_sha256": weights_sha256(program)})
    extra = {CARD_FILE: card.model_dump_json(indent=2)}
    buffer = io.BytesIO()
    if isinstance(program, torch.export.ExportedProgram):
        torch.export.save(program, buffer, extra_files=extra)
    else:
        torch.jit.save(program, buffer, _extra_files=extra)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(target, buffer.getvalue())
    return card


def weights_sha256(program: torch.nn.Module | torch.export.ExportedProgram) -> str:
    """SHA-256 over names, types, shapes and bytes of all parameters and buffers, by name."""
    tensors = dict(program.named_parameters()) | dict(program.named_buffers())
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
