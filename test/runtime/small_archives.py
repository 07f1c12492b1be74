# SPDX-License-Identifier: Apache-2.0
"""Small networks with cards, and how an archive of one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from stn_perception.runtime.archive import (
    ArchiveError,
    ModelArchive,
)
from stn_perception.runtime.model_card import ModelCard


class SmallConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 4, 3, stride=4)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.AdaptiveAvgPool2d(3)
        self.head = nn.Linear(36, 6)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        features = self.pool(torch.relu(self.norm(self.convolution(crops))))
        return self.head(features.flatten(1)).view(-1, 2, 3)


class WithExtras(nn.Module):
    def __init__(self, wrong: str = "") -> None:
        super().__init__()
        self.wrong = wrong

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        outputs = {
            "theta": torch.eye(3).unsqueeze(0).repeat(count, 1, 1),
            "log_variance": torch.zeros(count, 8),
            "score": torch.ones(count, 1),
            "class_logits": torch.zeros(count, 5),
        }
        if self.wrong != "":
            outputs[self.wrong] = torch.zeros(count, 2, 2)
        return outputs


def card(**fields: object) -> ModelCard:
    values: dict[str, object] = {"name": "small", "input_width": 24, "input_height": 20}
    return ModelCard(**{**values, **fields})  # type: ignore[arg-type]


def crops(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 20, 24, generator=torch.Generator().manual_seed(seed))


def exported(network: nn.Module) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("batch", min=1, max=256)
    return torch.export.export(network.eval(), (crops(2),), dynamic_shapes=({0: batch},))


def refusal(path: Path | str, **options: object) -> str:
    with pytest.raises(ArchiveError) as caught:
        ModelArchive.open(path, **{"device": "cpu", **options})  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence
