# SPDX-License-Identifier: Apache-2.0
"""Tiny networks and frames that the runtime's tests share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard

torch.set_num_threads(1)


class FixedTheta(nn.Module):
    """Returns the same theta for every crop."""

    def __init__(self, theta: list[list[float]]) -> None:
        super().__init__()
        self.register_buffer("theta", torch.tensor(theta))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).repeat(crops.shape[0], 1, 1)


class SmallConvolution(nn.Module):
    """A small affine STN, near the identity."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Sequential(
            nn.Conv2d(channels, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(4),
        )
        self.head = nn.Linear(8 * 16, 6)
        nn.init.normal_(self.head.weight, std=0.02)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1.0, 0]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(crops).flatten(1)).view(-1, 2, 3)


def rotation_theta(degrees: float, scale: float = 1.0) -> list[list[float]]:
    angle = math.radians(degrees)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    return [[c, -s, 0.0], [s, c, 0.0]]


def small_card(**fields: object) -> ModelCard:
    values: dict[str, object] = {"name": "small", "input_width": 32, "input_height": 32}
    return ModelCard(**{**values, **fields})  # type: ignore[arg-type]


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., ModelArchive]:
    """Opens an archive of a network with card fields given by name."""

    def make(network: nn.Module, **fields: object) -> ModelArchive:
        path = tmp_path / "model.pt"
        save_archive(path, torch.jit.script(network.eval()), small_card(**fields))
        return ModelArchive.open(path, device="cpu")

    return make
