# SPDX-License-Identifier: Apache-2.0
"""The differentiable sampler: a view from an image and a grid.

Jaderberg et al. 2015, "Spatial Transformer Networks", section 3.3, equations 3 to 8. Modes:
`bilinear`, `nearest` (labels and depth; no gradient by the grid), `bicubic` (Keys, a = -0.75).
Padding: `zeros` (or a fill value per channel), `border`, `reflection` about the image's edge.
Points behind the camera or not finite show the fill value in every padding mode: a NaN transform
under border padding would otherwise look like a picture.

Normalise *after* sampling, or fill with the mean: black padded into normalised data, or mean
padded into raw data, draws a frame round the view.

Coordinates stay in float32 at least whatever the image's type; a half-precision image is sampled
in float32 and returned in its own type.

Equality: on CPU everything is repeatable. On CUDA the gradient by theta is repeatable too, the
gradient by the image is not (atomic additions): compare it with a tolerance there, or ask for
`theta_only`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from stn_perception.stn.grid import SamplingGrid
from stn_perception.stn.pyramid import build_pyramid, footprint, level_weights
from stn_perception.stn.symmetric_gradient import SymmetricSampling, normalized_points


def sample(
    image: Tensor,
    grid: SamplingGrid,
    mode: str = "bilinear",
    padding: str = "zeros",
    mip_levels: int = 0,
    anisotropic_taps: int = 2,
    theta_only: bool = False,
    fill: Tensor | None = None,
) -> Tensor:
    """Sample an image at a grid.

    Args:
        image: N×C×H×W floating point, H and W at least 1.
        grid: from `homography_grid` or `spline_grid` for this image's size, batch N.
        mode: bilinear, nearest or bicubic.
        padding: zeros, border or reflection.
        mip_levels: halvings of the image for antialiased down-sampling; 0 turns it off, 4 serves
            scales up to 16. Which level a pixel uses is held constant in the derivative.
        anisotropic_taps: samples along a footprint's longer axis, with mip_levels > 0.
        theta_only: the image gets no gradient, and the backward pass does not pay for one.
        fill: what zeros padding shows, one value per channel (C); 0 when None.

    Returns:
        N×C×h×w in the image's type.

    Raises:
        ValueError: unknown mode or padding, an integer image, batches that differ, or nearest
            with mip levels.
    """
    return sample_pyramid(
        build_pyramid(_checked(image, theta_only), mip_levels),
        grid,
        mode,
        padding,
        anisotropic_taps,
        fill,
        image.dtype,
    )


def prepare_pyramid(image: Tensor, mip_levels: int, theta_only: bool = False) -> list[Tensor]:
    """Return the mip levels of an image that is going to be sampled more than once.

    Args:
        image: N×C×H×W floating point.
        mip_levels: number of halvings, >= 0.
        theta_only: cut the image out of the derivative.

    Raises:
        ValueError: an integer image or one of another rank.
    """
    return build_pyramid(_checked(image, theta_only), mip_levels)


def sample_pyramid(
    levels: list[Tensor],
    grid: SamplingGrid,
    mode: str,
    padding: str,
    anisotropic_taps: int,
    fill: Tensor | None,
    dtype: torch.dtype,
) -> Tensor:
    """Sample the levels of `prepare_pyramid` at a grid; see `sample`.

    Args:
        levels: the image and its halvings, N×C×H_l×W_l.
        grid: the grid for level 0.
        mode: bilinear, nearest or bicubic.
        padding: zeros, border or reflection.
        anisotropic_taps: samples along a footprint's longer axis.
        fill: C values, or None for 0.
        dtype: type of the result.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(f"mode must be bilinear, nearest or bicubic, got '{mode}'")
    if padding not in ("zeros", "border", "reflection"):
        raise ValueError(f"padding must be zeros, border or reflection, got '{padding}'")
    if mode == "nearest" and len(levels) > 1:
        raise ValueError("nearest sampling cannot be antialiased: use mip_levels=0")
    if levels[0].size(0) != grid.points.size(0):
        raise ValueError(f"the grid is for {grid.points.size(0)} images, got {levels[0].size(0)}")
    usable = grid.in_front.unsqueeze(3)
    points = torch.where(usable, grid.points, torch.zeros_like(grid.points))
    points = _addressable(points)
    background = torch.zeros_like(levels[0][:1, :, :1, :1])
    if fill is not None:
        background = background + fill.to(background.dtype).view(1, -1, 1, 1)
        if padding == "zeros":
            levels = [level - background for level in levels]
    if len(levels) == 1:
        view = _interpolate(levels[0], points, mode, padding)
    else:
        view = _antialiased(levels, points, grid, mode, padding, anisotropic_taps)
    if fill is not None and padding == "zeros":
        view = view + background
    return torch.where(grid.in_front.unsqueeze(1), view, background).to(dtype)


def _antialiased(
    levels: list[Tensor],
    points: Tensor,
    grid: SamplingGrid,
    mode: str,
    padding: str,
    taps: int,
) -> Tensor:
    """Blend every level, each sampled at every tap."""
    width, spacing = footprint(grid.step_x.detach(), grid.step_y.detach(), taps)
    weights = level_weights(torch.nan_to_num(width), len(levels) - 1)
    spacing = torch.nan_to_num(spacing)
    view = torch.zeros([1], dtype=levels[0].dtype, device=levels[0].device)
    for index, level in enumerate(levels):
        scale = float(2**index)
        seen = torch.zeros([1], dtype=level.dtype, device=level.device)
        for tap in range(taps):
            at = _addressable(points + spacing * (tap - (taps - 1) / 2))
            at = (at + 0.5) / scale - 0.5
            seen = seen + _interpolate(level, at, mode, padding)
        view = view + seen * (weights[index] / taps).unsqueeze(1).to(level.dtype)
    return view


def _addressable(points: Tensor) -> Tensor:
    """Keep points within 2^20 px: outside any image, and small enough for an integer index."""
    return points.clamp(-1048576.0, 1048576.0)


def _interpolate(image: Tensor, points: Tensor, mode: str, padding: str) -> Tensor:
    """Sample one image at points in its own pixels."""
    if not torch.jit.is_scripting() and (  # type: ignore[attr-defined]
        mode != "nearest"
        and points.requires_grad
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
    ):
        sampled: Tensor = SymmetricSampling.apply(  # type: ignore[no-untyped-call]
            image, points, mode, padding
        )
        return sampled
    grid = normalized_points(points, image.size(2), image.size(3)).to(image.dtype)
    return functional.grid_sample(
        image, grid, mode=mode, padding_mode=padding, align_corners=False
    )


def _checked(image: Tensor, theta_only: bool) -> Tensor:
    """Refuse what cannot be sampled; lift half precision; cut the image's gradient if asked."""
    if image.dim() != 4:
        raise ValueError(f"image must be N×C×H×W, got {list(image.shape)}")
    if not image.is_floating_point():
        raise ValueError(f"image must be floating point, got {image.dtype}")
    if theta_only:
        image = image.detach()
    if image.dtype != torch.float64:
        image = image.to(torch.float32)
    return image
