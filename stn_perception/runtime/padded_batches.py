# SPDX-License-Identifier: Apache-2.0
"""Run a network with batches of a few sizes only, where it is slow on sizes it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive, NetworkOutput


class PaddedArchive(ModelArchive):
    """An archive that fills every batch up to the next of some sizes with empty crops.

    Args:
        archive: The opened archive.
        sizes: The batch sizes to keep to; larger batches run as they are.
    """

    def __init__(self, archive: ModelArchive, sizes: Iterable[int]) -> None:
        vars(self).update(vars(archive))
        self._sizes = sorted(set(sizes))

    def predict(self, crops: NDArray[np.float32] | torch.Tensor) -> NetworkOutput:
        """Run the padded batch and return the part that was asked for."""
        batch = torch.as_tensor(crops)
        count = len(batch)
        size = next((size for size in self._sizes if size >= count), count)
        if count in (0, size):
            return super().predict(batch)
        empty = torch.zeros((size - count, *batch.shape[1:]), dtype=batch.dtype)
        output = super().predict(torch.cat([batch, empty.to(batch.device)]))
        kept = {each.name: _first(getattr(output, each.name), count) for each in fields(output)}
        return NetworkOutput(**kept)


def _first(values: Any, count: int) -> Any:
    return None if values is None else values[:count]
