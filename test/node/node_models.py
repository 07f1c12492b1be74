# SPDX-License-Identifier: Apache-2.0
"""Archives of tiny networks, for a node to load."""

from __future__ import annotations

from pathlib import Path

import torch

from stn_perception.runtime.archive import save_archive
from stn_perception.runtime.model_card import ModelCard


class FixedTurn(torch.nn.Module):
    """Always the same affine transform: a turn and a scale, a little off-centre."""

    def __init__(self) -> None:
        super().__init__()
        turn = torch.tensor([[0.7, -0.3, 0.05], [0.3, 0.7, -0.04]])
        self.theta = torch.nn.Parameter(turn)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).expand(crops.shape[0], 2, 3)


class FailsOnLargeBatches(FixedTurn):
    """Works in the probe and fails on batches of more than two."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        if crops.shape[0] > 2:
            raise RuntimeError("the batch is too large")
        return self.theta.unsqueeze(0).expand(crops.shape[0], 2, 3)


def write_model(folder: Path, name: str = "turn", network: torch.nn.Module | None = None) -> Path:
    """An archive of a tiny network with a card."""
    path = folder / f"{name}.pt"
    card = ModelCard(name=name, input_width=32, input_height=32, view_width=48, view_height=40)
    save_archive(path, torch.jit.script((network or FixedTurn()).eval()), card)
    return path
