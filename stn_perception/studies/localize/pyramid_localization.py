# SPDX-License-Identifier: Apache-2.0
"""Where to look and how closely: one heat map over places and sizes."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from stn_perception.studies.localize.pyramid import cell_centers, levels_of

# Sides of the levels that the network sees, a factor of 1.3 apart, and the side of what a cell of
# each stands for: 25 to 55 px of a picture of 84 px.
_SIDES_PX = (42, 32, 25, 19)
_CELL_VIEW_PX = 12.5
# A cell may correct its size by about this factor either way.
_CORRECTION = math.log(1.35)
# Of the heat before the softmax, which makes it learn that much faster.
_SHARPNESS = 3.0
# Of the last weights at the start: the first view is nearly the middle.
_FIRST_WEIGHTS = 0.05


class PyramidLocalization(nn.Module):
    """The same convolutions on every level; expected place and size under one softmax.

    A larger object looks on a coarser level as a smaller one on a finer level, so that what is
    learned of one size holds for all of them, as what is learned of one place holds for all.

    `forward(N×1×H×H)` returns theta, N×2×3: place and one scale, the attention of equation 2 in
    Jaderberg et al. 2015.

    Args:
        widths: Of the convolutions, the first of which halves.
    """

    looks: Tensor

    def __init__(self, widths: tuple[int, ...] = (12, 16, 16)) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 5, stride=2, padding=2), nn.ReLU()]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 5, padding=2), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], 2, 1)
        nn.init.normal_(self.last.weight, std=_FIRST_WEIGHTS)
        looks = []
        for side_px in _SIDES_PX:
            centers = cell_centers(0.5, 2, (side_px + 1) // 2, side_px)
            size = torch.full((len(centers), 1), math.log(_CELL_VIEW_PX / side_px))
            looks.append(torch.cat([centers, size], dim=1))
        self.register_buffer("looks", torch.cat(looks), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return theta."""
        maps = [
            self.last(self.features(level)).flatten(2) for level in levels_of(images, _SIDES_PX)
        ]
        heat, correction = torch.cat(maps, dim=2).unbind(dim=1)
        weight = (_SHARPNESS * heat).softmax(dim=1)
        x, y, log_scale = (weight @ self.looks).unbind(dim=1)
        finer = _CORRECTION * torch.tanh((weight * correction).sum(dim=1))
        scale, zero = torch.exp(log_scale + finer), torch.zeros_like(x)
        rows = [torch.stack([scale, zero, x], dim=1), torch.stack([zero, scale, y], dim=1)]
        return torch.stack(rows, dim=1)
