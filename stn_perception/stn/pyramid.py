# SPDX-License-Identifier: Apache-2.0
"""Antialiasing: mip levels of an image, and how much of it one pixel of a view covers.

Bilinear sampling down by 8 reads 6 % of the pixels and leaves noise at four times an area filter's
(Williams 1983, "Pyramidal Parametrics", is the remedy). The number of levels is fixed, and every
level is always sampled, so that there is no control flow that depends on data: the path scripts
and exports. A pixel that covers a long, narrow footprint is sampled at several points along it,
with the level chosen by what one of them has to cover (as texture units do; McCormack et al. 1999,
"Feline").
"""

import torch
from torch import Tensor


def build_pyramid(image: Tensor, mip_levels: int) -> list[Tensor]:
    """Return the image and `mip_levels` halvings of it.

    Level l has ceil(side / 2^l) pixels, each the mean of the up to 2^l × 2^l pixels below it, so
    that pixel x of the image lies at (x + 0.5) / 2^l - 0.5.

    Args:
        image: N×C×H×W.
        mip_levels: number of halvings, >= 0; 4 serves scales up to 16.
    """
    levels = [image]
    for _ in range(mip_levels):
        levels.append(_halved(_halved(levels[-1], 2), 3))
    return levels


def footprint(step_x: Tensor, step_y: Tensor, taps: int) -> tuple[Tensor, Tensor]:
    """Return what one tap must cover, and the spacing of the taps.

    The two steps span the parallelogram of source pixels under one pixel of the view; its axes are
    the singular values and left vectors of [step_x step_y]. One tap has to cover the minor axis,
    or the major axis divided by the number of taps, whichever is more.

    Args:
        step_x: N×h×w×2, source pixels per view pixel to the right.
        step_y: N×h×w×2, source pixels per view pixel downwards.
        taps: samples along the major axis, >= 1.

    Returns:
        The width one tap covers, N×h×w in source pixels, and the offset between neighbouring taps,
        N×h×w×2 in source pixels (0 where one tap covers all).
    """
    xx = step_x[..., 0].square() + step_y[..., 0].square()
    yy = step_x[..., 1].square() + step_y[..., 1].square()
    xy = step_x[..., 0] * step_x[..., 1] + step_y[..., 0] * step_y[..., 1]
    middle = (xx + yy) / 2.0
    radius = torch.sqrt(((xx - yy) / 2.0).square() + xy.square())
    major = torch.sqrt(middle + radius)
    minor = torch.sqrt((middle - radius).clamp_min(0.0))
    width = torch.maximum(minor, major / taps)
    if taps == 1:
        return width, torch.zeros_like(step_x)
    angle = 0.5 * torch.atan2(2.0 * xy, xx - yy)
    direction = torch.stack([torch.cos(angle), torch.sin(angle)], dim=angle.dim())
    # Below one source pixel there is nothing to average: interpolation itself is one pixel wide.
    spacing = (major - torch.clamp_min(width, 1.0)).clamp_min(0.0) / (taps - 1)
    return width, direction * spacing.unsqueeze(angle.dim())


def level_weights(width: Tensor, mip_levels: int) -> list[Tensor]:
    """Return the weight of each mip level, blended linearly in the logarithm of the width.

    Args:
        width: source pixels that one tap covers, any shape.
        mip_levels: number of halvings; a wider footprint than 2^mip_levels uses the last level.

    Returns:
        mip_levels + 1 tensors of width's shape that sum to 1.
    """
    level = torch.log2(width.clamp_min(1.0)).clamp_max(float(mip_levels))
    return [(1.0 - (level - float(i)).abs()).clamp_min(0.0) for i in range(mip_levels + 1)]


def _halved(image: Tensor, axis: int) -> Tensor:
    """Mean of each two neighbours along an axis; an odd last one stays as it is.

    Not `avg_pool2d`: its ceil_mode ties an exported program to the sizes it was traced with.
    """
    size = image.size(axis)
    second = torch.arange(1, size + 1, 2, device=image.device).clamp_max(size - 1)
    first = torch.arange(0, size, 2, device=image.device)
    return (image.index_select(axis, first) + image.index_select(axis, second)) * 0.5
