# SPDX-License-Identifier: Apache-2.0
"""Interpolation with a backward pass of its own: exact at kinks, cheap for theta only.

Two things are wrong with the stock derivative of bilinear sampling (Jaderberg et al. 2015,
equation 7):

* It is one-sided where a point falls on a pixel centre, and the identity transform puts every
  point there: measured -303.5 where the central difference is 0. Here a point within rounding of a
  kink gets the mean of the derivatives on its two sides, which is what central differences
  converge to.
* The gradient by the image is dense: for one view of a 4K frame it costs fifty times the forward
  pass. Here it is computed only for an image that requires it: detach the image to be rid of it.

The gradient by the points is gathered, not scattered, and so it is deterministic on CUDA. The
gradient by the image uses PyTorch's kernel, which adds atomically there and is not.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

_CUBIC = -0.75  # Keys' parameter, as in torch and OpenCV
_NATIVE_MODE = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_NATIVE_PADDING = {"zeros": 0, "border": 1, "reflection": 2}


def normalized_points(points: Tensor, height: int, width: int) -> Tensor:
    """Pixels to normalised axes, x_n = (2 x + 1) / width - 1, last dimension (x, y)."""
    x = (2.0 * points[..., 0] + 1.0) / width - 1.0
    y = (2.0 * points[..., 1] + 1.0) / height - 1.0
    return torch.stack([x, y], dim=points.dim() - 1)


class SymmetricSampling(torch.autograd.Function):
    """`grid_sample` at points in pixels, with the derivative described above.

    `apply(image N×C×H×W, points N×h×w×2, mode, padding)`; mode is bilinear or bicubic.
    """

    @staticmethod
    def forward(ctx: Any, image: Tensor, points: Tensor, mode: str, padding: str) -> Tensor:
        """Sample with PyTorch's kernel."""
        ctx.save_for_backward(image, points)
        ctx.mode, ctx.padding = mode, padding
        grid = normalized_points(points, image.size(2), image.size(3)).to(image.dtype)
        return functional.grid_sample(
            image, grid, mode=mode, padding_mode=padding, align_corners=False
        )

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Differentiate by the points, and by the image where it requires a gradient."""
        image, points = ctx.saved_tensors
        by_image = by_points = None
        if ctx.needs_input_grad[0]:
            grid = normalized_points(points, image.size(2), image.size(3)).to(image.dtype)
            by_image = torch.ops.aten.grid_sampler_2d_backward(
                gradient,
                image,
                grid,
                _NATIVE_MODE[ctx.mode],
                _NATIVE_PADDING[ctx.padding],
                False,
                [True, False],
            )[0]
        if ctx.needs_input_grad[1]:
            by_points = gradient_by_points(image, points, gradient, ctx.mode, ctx.padding)
        return by_image, by_points, None, None


def gradient_by_points(
    image: Tensor, points: Tensor, gradient: Tensor, mode: str, padding: str
) -> Tensor:
    """Return the derivative of a loss by the sampling points.

    On a CPU PyTorch's kernel makes it, far faster than gathering, and only points at kinks are
    gathered. Elsewhere all are: on a GPU that kernel refuses to work when deterministic
    algorithms are asked for.

    Args:
        image: N×C×H×W.
        points: N×h×w×2, (x, y) in pixels.
        gradient: N×C×h×w, the loss by the samples.
        mode: bilinear or bicubic.
        padding: zeros, border or reflection.

    Returns:
        N×h×w×2, the loss per pixel of movement.
    """
    if image.device.type != "cpu":
        everywhere = torch.ones_like(points[..., 0], dtype=torch.bool)
        return _gathered(image, points, gradient, everywhere, mode, padding).view_as(points)
    by_points = _by_kernel(image, points, gradient, mode, padding)
    if mode == "bilinear":
        aside = (points - points.round()).abs()
        at_kinks = (aside[..., 0] < _tolerance(points.dtype, image.size(3))) | (
            aside[..., 1] < _tolerance(points.dtype, image.size(2))
        )
        by_points[at_kinks] = _gathered(image, points, gradient, at_kinks, mode, padding)
    return by_points


def _by_kernel(image: Tensor, points: Tensor, gradient: Tensor, mode: str, padding: str) -> Tensor:
    """The one-sided derivative, N×h×w×2."""
    height, width = image.size(2), image.size(3)
    by_grid = torch.ops.aten.grid_sampler_2d_backward(
        gradient,
        image,
        normalized_points(points, height, width).to(image.dtype),
        _NATIVE_MODE[mode],
        _NATIVE_PADDING[padding],
        False,
        [False, True],
    )[1]
    scale = torch.tensor([2.0 / width, 2.0 / height], dtype=points.dtype)
    by_points: Tensor = by_grid.to(points.dtype) * scale
    return by_points


def _gathered(
    image: Tensor, points: Tensor, gradient: Tensor, chosen: Tensor, mode: str, padding: str
) -> Tensor:
    """The symmetric derivative at the chosen of N×h×w points, M×2."""
    height, width = image.size(2), image.size(3)
    sample = chosen.nonzero()[:, 0]
    upstream = gradient.permute(0, 2, 3, 1)[chosen]
    position = points[chosen]
    pixels = image.permute(0, 2, 3, 1)
    columns = _taps(position[:, 0], width, mode, padding)
    rows = _taps(position[:, 1], height, mode, padding)
    by_x = torch.zeros_like(position[:, 0])
    by_y = torch.zeros_like(by_x)
    for row, weight_y, slope_y in rows:
        for column, weight_x, slope_x in columns:
            value = (pixels[sample, row, column] * upstream).sum(dim=1)
            by_x += weight_y * slope_x * value
            by_y += slope_y * weight_x * value
    return torch.stack([by_x, by_y], dim=1)


def _tolerance(dtype: torch.dtype, size: int) -> float:
    """How near a kink a point counts as on it: what rounding does to a coordinate of an axis."""
    return 8.0 * torch.finfo(dtype).eps * max(size, 2)


def _taps(
    position: Tensor, size: int, mode: str, padding: str
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return (index, weight, slope of the weight) of every pixel that an interpolation reads."""
    if mode == "bilinear":
        first, last = -1, 1
        base = torch.floor(position + 0.5)
    else:
        first, last = -1, 2
        base = torch.floor(position)
    tolerance = _tolerance(position.dtype, size)
    taps = []
    for offset in range(first, last + 1):
        distance = position - (base + offset)
        if mode == "bilinear":
            weight, slope = _hat(distance, tolerance)
        else:
            weight, slope = _keys(distance)
        index = (base + offset).long()
        if padding == "zeros":
            inside = ((index >= 0) & (index < size)).to(weight.dtype)
            weight, slope = weight * inside, slope * inside
        elif padding == "reflection":
            index = index.remainder(2 * size)
            index = torch.where(index >= size, 2 * size - 1 - index, index)
        taps.append((index.clamp(0, size - 1), weight, slope))
    return taps


def _hat(distance: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """The linear kernel and its symmetric derivative; kinks at 0 and ±1 pixel."""
    size = distance.abs()
    slope = -torch.sign(distance)
    slope = torch.where(size < tolerance, 0.0, slope)
    slope = torch.where((size - 1.0).abs() < tolerance, 0.5 * slope, slope)
    slope = torch.where(size - 1.0 >= tolerance, 0.0, slope)
    return (1.0 - size).clamp_min(0.0), slope


def _keys(distance: Tensor) -> tuple[Tensor, Tensor]:
    """The cubic convolution kernel of Keys 1981 and its derivative, which is continuous."""
    t = distance.abs()
    near = ((_CUBIC + 2.0) * t - (_CUBIC + 3.0)) * t * t + 1.0
    far = _CUBIC * (((t - 5.0) * t + 8.0) * t - 4.0)
    near_slope = (3.0 * (_CUBIC + 2.0) * t - 2.0 * (_CUBIC + 3.0)) * t
    far_slope = _CUBIC * ((3.0 * t - 10.0) * t + 8.0)
    inside, support = t <= 1.0, t < 2.0
    weight = torch.where(inside, near, torch.where(support, far, 0.0))
    slope = torch.where(inside, near_slope, torch.where(support, far_slope, 0.0))
    return weight, slope * torch.sign(distance)
