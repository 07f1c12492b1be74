# SPDX-License-Identifier: Apache-2.0
"""Draw pictures of digits under transforms; cheap, as every training batch is drawn anew.

The points are those of `stn.sampling_grid` (a test holds them to it), without the steps between
neighbours, which antialiasing would need and which cost more than the drawing itself.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from stn_perception.stn import sampling_grid

_CONTROLS = 16


def drawn(images: Tensor, upright_from_source: Tensor, side_px: int) -> Tensor:
    """Return square pictures, N×1×H×H in 0 to 1: bilinear, black outside of the digit.

    Args:
        images: uint8 N×28×28.
        upright_from_source: Where in the digit each pixel looks: N×3×3 with w > 0 all over the
            picture or nothing to be seen where it is not, or the N×16×2 control points of a
            4×4 spline; normalised axes.
        side_px: H.
    """
    of_spline = upright_from_source.size(2) == 2
    points = _spline_points if of_spline else _projected_points
    grid = points(upright_from_source, side_px).view(-1, side_px, side_px, 2)
    upright = images.unsqueeze(1).float() / 255
    return functional.grid_sample(upright, grid, align_corners=False)


def _projected_points(theta: Tensor, side_px: int) -> Tensor:
    """N×3×3 to N×HH×2; a pixel behind the camera looks far outside."""
    mapped = torch.matmul(_pixel_centers(side_px), theta.transpose(1, 2))
    w = mapped[..., 2:]
    return torch.where(w > 0, mapped[..., :2] / w, 9.0)


def _spline_points(controls: Tensor, side_px: int) -> Tensor:
    """N×16×2 to N×HH×2."""
    return torch.matmul(_spline_weights(side_px), controls)


@lru_cache(maxsize=4)
def _pixel_centers(side_px: int) -> Tensor:
    """A picture's pixels, HH×3 homogeneous."""
    axis = (2 * torch.arange(side_px) + 1) / side_px - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], dim=2).view(-1, 3)


@lru_cache(maxsize=4)
def _spline_weights(side_px: int) -> Tensor:
    """How much of each control point there is in each pixel's point, HH×16.

    A spline is linear in its control points: this is what it makes of each one alone.
    """
    alone = torch.eye(_CONTROLS).unsqueeze(2).expand(-1, -1, 2)
    points_px = sampling_grid(alone, side_px, side_px, side_px, side_px).points
    return ((2 * points_px[..., 0] + 1) / side_px - 1).flatten(1).t().contiguous()
