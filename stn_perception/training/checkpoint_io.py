# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that are on the disk completely or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.checkpoints import CheckpointError


class WholeCheckpointIO(TorchCheckpointIO):  # type: ignore[misc]
    """Lightning's checkpoint files, written beside their target and renamed when on the disk."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write one checkpoint.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written to; whatever was
                there before is still there.
        """
        target = Path(path)
        content = io.BytesIO()
        torch.save(checkpoint, content)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole_file(target, content.getvalue())
        except OSError as error:
            raise CheckpointError(
                f"cannot write the checkpoint {target} ({len(content.getvalue())} bytes): "
                f"{error.strerror}; earlier checkpoints are intact"
            ) from error
