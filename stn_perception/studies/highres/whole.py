# SPDX-License-Identifier: Apache-2.0
"""The peer: a convolutional network over a whole frame, a verdict in every cell."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock
from stn_perception.studies.highres.features import run_features

# The class after the ten digits.
BACKGROUND = 10


class WholeReader(nn.Module):
    """N×1×h×w frames in [0, 1] to N×11×H×W logits: ten digits and background in each cell.

    Args:
        widths: Of the convolutions.
        strides: Of the convolutions; the first has 5×5 pixels, the others 3×3.

    Attributes:
        cell_px: Side of a cell in pixels of the frames given.
    """

    def __init__(self, widths: tuple[int, ...], strides: tuple[int, ...]) -> None:
        super().__init__()
        self.cell_px = math.prod(strides)
        layers: list[nn.Module] = [ConvBlock(1, widths[0], stride=strides[0], kernel=5)]
        layers += [
            ConvBlock(before, after, stride=stride)
            for (before, after), stride in zip(
                itertools.pairwise(widths), strides[1:], strict=True
            )
        ]
        self.features = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], BACKGROUND + 1, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, frames: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.last(run_features(self.features, frames))
        return logits

    def read(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return N digits, and the N×2 cells (column, row) that they were read in."""
        logits = self(frames)
        digits = logits[:, :BACKGROUND]
        sure = digits.logsumexp(dim=1) - logits[:, BACKGROUND]
        best = sure.flatten(1).argmax(dim=1)
        column, row = best % sure.size(2), best // sure.size(2)
        found = digits.flatten(2).gather(2, best.view(-1, 1, 1).expand(-1, BACKGROUND, 1))
        return found.squeeze(2).argmax(dim=1), torch.stack([column, row], dim=1)
