# SPDX-License-Identifier: Apache-2.0
"""Full attention: every patch of the picture is a token, and all see each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.studies.attention.blocks import AttentionBlock, Readout
from stn_perception.studies.attention.scenes import SIDE_PX


class PatchNetwork(nn.Module):
    """N×1×72×72 pictures to scores of digits, N×10.

    Patches overlap: a strided convolution, which needs fewer pictures to learn from than patches
    that are cut (Xiao et al. 2021, "Early Convolutions Help Transformers See Better").

    Args:
        width: Of a token.
        layers: Of attention.
        channels: Of the two convolutions before the tokens.
    """

    def __init__(self, width: int, layers: int, channels: tuple[int, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels[0], 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels[0], channels[1], 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels[1], width, 4, stride=3),
        )
        rows = (SIDE_PX // 4 - 4) // 3 + 1
        self.positions = nn.Parameter(torch.randn(rows * rows, width) * 0.02)
        self.blocks = nn.Sequential(*(AttentionBlock(width, 2 * width) for _ in range(layers)))
        self.readout = Readout(width)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of the digits."""
        tokens = self.stem(images).flatten(2).transpose(1, 2) + self.positions
        scores: Tensor = self.readout(self.blocks(tokens))
        return scores
