# SPDX-License-Identifier: Apache-2.0
"""The bricks that all networks of the study share, so that they differ in where they look only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

DIGITS = 10


class AttentionBlock(nn.Module):
    """Self-attention and a feed-forward part, normalised first (N×T×D in and out).

    Written with plain matrix products: PyTorch's fused kernels hide their operations from its
    counter of operations.

    Args:
        width: D, a multiple of the heads.
        hidden: Units of the feed-forward part.
        heads: Of the attention.
    """

    def __init__(self, width: int, hidden: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.enter, self.leave = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.forward_part = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after every one has seen all others."""
        mixed = self.enter(self.before_attention(tokens)).unflatten(2, (3, self.heads, -1))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        share = torch.softmax(query @ key.transpose(2, 3) / query.size(3) ** 0.5, dim=3)
        tokens = tokens + self.leave((share @ value).transpose(1, 2).flatten(2))
        added: Tensor = self.forward_part(self.before_forward(tokens))
        return tokens + added


class ViewEncoder(nn.Module):
    """A view of 16×16 pixels to a token: two convolutions, each halved by its maximum.

    Args:
        width: Of the token.
        channels: Of the two convolutions.
    """

    def __init__(self, width: int, channels: tuple[int, int] = (16, 32)) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels[0], 3, padding=1)
        self.second = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.last = nn.Linear(channels[1] * 16, width)

    def forward(self, views: Tensor) -> Tensor:
        """Return N×D for N×1×16×16."""
        x = max_pool2d(torch.relu(self.first(views)), 2)
        x = max_pool2d(torch.relu(self.second(x)), 2)
        token: Tensor = self.last(x.flatten(1))
        return token


class Readout(nn.Module):
    """Tokens to a score for each digit: their mean and their maximum, one layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.last = nn.Linear(2 * width, DIGITS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return N×10 for N×T×D."""
        tokens = self.norm(tokens)
        scores: Tensor = self.last(torch.cat([tokens.mean(dim=1), tokens.amax(dim=1)], dim=1))
        return scores


def cell_centers(rows: int) -> Tensor:
    """Return the centres of rows×rows cells of a picture, row by row, normalised axes, P×2."""
    axis = (2 * torch.arange(rows) + 1) / rows - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], dim=2).flatten(0, 1)
