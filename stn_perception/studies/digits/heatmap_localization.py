# SPDX-License-Identifier: Apache-2.0
"""Where to look in a large picture: the centre of a heat map, at a fixed scale."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock


class HeatmapLocalization(nn.Module):
    """The attention of equation 2 in Jaderberg et al. 2015, its place found by a heat map.

    The expected place under the map's softmax (Levine et al. 2016, section 5.2) moves along with
    whatever the map has found, wherever that is, which a fully connected layer would have to learn
    for every place anew. The map's last layer starts at zero: the first view is the middle.

    `forward(N×C×H×W)` returns theta, N×2×3, view to picture.

    Args:
        channels: C.
        widths: Of the convolutions, the first of which halves the halved picture once more.
        scale: Side of the view in sides of the picture.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], scale: float) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.AvgPool2d(2),
            ConvBlock(channels, widths[0], stride=2, kernel=5),
        ]
        layers += [ConvBlock(*pair) for pair in itertools.pairwise(widths)]
        self.features = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], 1, 1, bias=False)
        nn.init.zeros_(self.last.weight)
        self.scale = scale
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return theta."""
        heat = self.heat(pictures)
        x = (heat.sum(dim=1) * _cell_centers(heat.size(2), heat)).sum(dim=1)
        y = (heat.sum(dim=2) * _cell_centers(heat.size(1), heat)).sum(dim=1)
        scale, zero = torch.full_like(x, self.scale), torch.zeros_like(x)
        rows = [torch.stack([scale, zero, x], dim=1), torch.stack([zero, scale, y], dim=1)]
        return torch.stack(rows, dim=1)

    def heat(self, pictures: Tensor) -> Tensor:
        """Return how much of the attention each cell has, N×h×w, 1 in all."""
        maps = self.last(self.features(pictures)).squeeze(1)
        heat: Tensor = maps.flatten(1).softmax(dim=1).view_as(maps)
        return heat


def _cell_centers(count: int, like: Tensor) -> Tensor:
    """Return the cells' centres along an axis in normalised axes."""
    cells = torch.arange(count, dtype=like.dtype, device=like.device)
    return (2 * cells + 1) / count - 1
