# SPDX-License-Identifier: Apache-2.0
"""What reads the view: a GRU or a transformer encoder."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn


class GruHost(nn.Module):
    """A GRU in both directions; N×S×D in, mean and maximum over the positions out.

    Args:
        channels: D.
        hidden: Units of one direction.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, hidden, batch_first=True, bidirectional=True)
        self.features = 4 * hidden

    def forward(self, view: Tensor) -> Tensor:
        """Return N×`features`."""
        return _summary(self.gru(view)[0])


class EncoderHost(nn.Module):
    """One layer of a transformer encoder, normalised first; otherwise like `GruHost`.

    Args:
        channels: D.
        hidden: Units of the layer's feed-forward part.
        positions: S.
        width: Of a token, a multiple of the heads.
        heads: Of the attention.
    """

    positions: Tensor

    def __init__(
        self, channels: int, hidden: int, positions: int, width: int = 32, heads: int = 4
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(channels, width)
        self.layer = nn.TransformerEncoderLayer(
            width, heads, hidden, dropout=0.1, batch_first=True, norm_first=True
        )
        self.register_buffer("positions", _waves(positions, width), persistent=False)
        self.features = 2 * width

    def forward(self, view: Tensor) -> Tensor:
        """Return N×`features`."""
        return _summary(cast(Tensor, self.layer(self.enter(view) + self.positions)))


def _summary(states: Tensor) -> Tensor:
    return torch.cat([states.mean(dim=1), states.amax(dim=1)], dim=1)


def _waves(positions: int, width: int) -> Tensor:
    """Sines and cosines of the position (Vaswani et al. 2017, section 3.5)."""
    rate = torch.exp(-math.log(10_000.0) * torch.arange(0, width, 2) / width)
    angle = torch.arange(positions).unsqueeze(1) * rate
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)
