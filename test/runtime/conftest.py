# SPDX-License-Identifier: Apache-2.0
"""Tiny networks that the runtime's tests open as archives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from torch import nn

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard

from .small_archives import SmallConvolution, card

torch.set_num_threads(1)
cv2.setNumThreads(1)


class FixedTheta(nn.Module):
    """Returns the same transform for every crop, with further outputs if asked."""

    def __init__(self, theta: Any) -> None:
        super().__init__()
        self.register_buffer("theta", torch.as_tensor(theta, dtype=torch.float32))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).repeat(crops.shape[0], 1, 1)


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., ModelArchive]:
    """Opens an archive of a network, or of a fixed theta, with card fields given by name."""
    count = iter(range(1000))

    def make(network: Any, **fields: Any) -> ModelArchive:
        if not isinstance(network, nn.Module):
            network = FixedTheta(network)
        card = ModelCard(
            **{"name": "tiny", "input_width": 32, "input_height": 32, "channels": 1, **fields}
        )
        path = tmp_path / f"model{next(count)}.pt"
        save_archive(path, torch.jit.script(network.eval()), card)
        return ModelArchive.open(path, device="cpu")

    return make


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved archive of a small convolution."""
    path = tmp_path / "small.pt"
    save_archive(path, torch.jit.script(SmallConvolution().eval()), card())
    return path
