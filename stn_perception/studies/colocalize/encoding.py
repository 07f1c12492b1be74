# SPDX-License-Identifier: Apache-2.0
"""e(), the encoding in which two views are alike: fixed, nothing in it is learned.

The paper encodes by a network that was trained to name digits. Here a view becomes its ink and
the strokes' orientations, both blurred to 7×7 cells, each of unit length.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

VIEW_PX = 28
_CELLS = 7
_BLUR_PX = 2.0
# Half width of the bell that weighs the cells, in half sides of the view: the middle counts more.
_WINDOW = 0.8
# Of the squared length, so that an empty view has no direction.
_FLOOR = 0.01


class Encoding(nn.Module):
    """N×1×28×28 views to N×F vectors, about unit length; no parameters, no state to keep."""

    pool: Tensor
    window: Tensor
    slopes: Tensor

    def __init__(self) -> None:
        super().__init__()
        pixels = torch.arange(VIEW_PX, dtype=torch.float32)
        cells = (torch.arange(_CELLS, dtype=torch.float32) + 0.5) * VIEW_PX / _CELLS - 0.5
        bells = torch.exp(-(((pixels - cells.unsqueeze(1)) / _BLUR_PX) ** 2) / 2)
        across = (2 * torch.arange(_CELLS) + 1) / _CELLS - 1
        bell = torch.exp(-((across / _WINDOW) ** 2) / 4)
        slope = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
        pool = bells / (_BLUR_PX * math.sqrt(2 * math.pi))
        self.register_buffer("pool", pool, persistent=False)
        self.register_buffer("window", bell.unsqueeze(1) * bell, persistent=False)
        self.register_buffer("slopes", torch.stack([slope, slope.t()]).unsqueeze(1), False)

    def forward(self, views: Tensor) -> Tensor:
        """Return the vectors."""
        ink = self._direction(views)
        return torch.cat([ink, self._direction(self._strokes(views))], dim=1) / math.sqrt(2.0)

    def _strokes(self, views: Tensor) -> Tensor:
        """Four channels of edges by orientation; opposite gradients are one orientation."""
        x, y = functional.conv2d(views, self.slopes, padding=1).unbind(dim=1)
        strength = (x * x + y * y + 1e-6).sqrt()
        cosine, sine = (x * x - y * y) / strength, 2 * x * y / strength
        return torch.relu(torch.stack([cosine, sine, -cosine, -sine], dim=1))

    def _direction(self, maps: Tensor) -> Tensor:
        cells = (self.pool @ maps @ self.pool.t() * self.window).flatten(1)
        return cells / (cells.square().sum(dim=1, keepdim=True) + _FLOOR).sqrt()


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return ||a - b||² of every pair, N×F and M×F to N×M, as if all were of unit length.

    Empty views, which have no length, are thereby far from everything and from each other; else
    looking at nothing at all would be the best that views can have in common.
    """
    return 2 - 2 * a @ b.t()
