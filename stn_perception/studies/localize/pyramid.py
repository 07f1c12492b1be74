# SPDX-License-Identifier: Apache-2.0
"""A picture at several sizes, and where the cells of a feature map of each lie."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def levels_of(images: Tensor, sides_px: Sequence[int]) -> list[Tensor]:
    """Return N×C×H×H pictures resized to each side, antialiased."""
    return [
        functional.interpolate(
            images, size=(side_px, side_px), mode="bilinear", antialias=True, align_corners=False
        )
        for side_px in sides_px
    ]


def cell_centers(first_px: float, stride_px: int, cells: int, side_px: int) -> Tensor:
    """Return where the cells of a map look, (cells²)×2 (x, y), in the picture's normalised axes.

    Args:
        first_px: Centre of the first cell, in pixels from the level's edge.
        stride_px: Between cells.
        cells: Per side of the map.
        side_px: Of the level.
    """
    axis = (first_px + stride_px * torch.arange(cells)) * (2 / side_px) - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)
