# SPDX-License-Identifier: Apache-2.0
"""The random transforms of the distorted digits (Jaderberg et al. 2015, appendix A.1).

Normalised axes throughout (`align_corners=False`); *upright* is the 28×28 digit as MNIST has it,
*source* the distorted picture, as it is the source of a transformer's view. `share` narrows a
distortion: 1 is the paper's, at 0 the digit is upright and in the middle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stn_perception.stn import control_grid, theta_from_corners

UPRIGHT_PX = 28


def draw_rotation(count: int, generator: torch.Generator, share: float = 1.0) -> Tensor:
    """R: a turn within ±90°, in a picture as large as the digit.

    Returns:
        source_from_upright, N×2×3.
    """
    angle = share * _uniform(count, -math.pi / 2, math.pi / 2, generator)
    zero = torch.zeros_like(angle)
    return similarity(angle, torch.ones_like(angle), torch.stack([zero, zero], dim=1), UPRIGHT_PX)


def draw_similarity(
    count: int, source_px: int, generator: torch.Generator, share: float = 1.0
) -> Tensor:
    """RTS: a turn within ±45°, a scale of 0.7 to 1.2, anywhere in the picture.

    The 28×28 square of the digit, scaled but not turned, lies within the picture.

    Returns:
        source_from_upright, N×2×3.
    """
    angle = share * _uniform(count, -math.pi / 4, math.pi / 4, generator)
    scale = _scale(count, 0.7, 1.2, generator, share)
    room = (source_px - UPRIGHT_PX * scale) / 2
    shift = share * room.unsqueeze(1) * (2 * torch.rand(count, 2, generator=generator) - 1)
    return similarity(angle, scale, shift, source_px)


def similarity(angle_rad: Tensor, scale: Tensor, shift_px: Tensor, source_px: int) -> Tensor:
    """Return source_from_upright, N×2×3.

    Args:
        angle_rad: N, positive from +x towards +y.
        scale: N, source pixels per pixel of the digit.
        shift_px: N×2, of the digit's centre from the picture's, source pixels.
        source_px: Side of the picture.
    """
    factor = scale * (UPRIGHT_PX / source_px)
    cosine, sine = factor * torch.cos(angle_rad), factor * torch.sin(angle_rad)
    x, y = (shift_px * (2 / source_px)).unbind(dim=1)
    rows = [torch.stack([cosine, -sine, x], dim=1), torch.stack([sine, cosine, y], dim=1)]
    return torch.stack(rows, dim=1)


def draw_projection(count: int, generator: torch.Generator, share: float = 1.0) -> Tensor:
    """P: a scale of 0.75 to 1, then each corner moved by normal noise of 5 px.

    Corners that make no convex quadrilateral are drawn again, as they would fold the digit.

    Returns:
        source_from_upright, N×3×3.
    """
    corners = _noisy_corners(count, generator, share)
    while True:
        folded = ~_is_convex(corners)
        missing = int(folded.sum())
        if missing == 0:
            return theta_from_corners(corners)
        corners[folded] = _noisy_corners(missing, generator, share)


def draw_spline(count: int, generator: torch.Generator, share: float = 1.0) -> Tensor:
    """E: a scale of 0.75 to 1, then 4×4 control points moved by normal noise of 1.5 px.

    A picture is drawn by looking up, for each of its pixels, the place in the digit, so it is
    this direction that the spline has.

    Returns:
        upright_from_source, N×16×2: where the picture's control points lie in the digit.
    """
    scale = _scale(count, 0.75, 1.0, generator, share)
    controls = control_grid(4, 4, torch.device("cpu")).float()
    noise = torch.randn(count, *controls.shape, generator=generator)
    noise = noise * (share * 1.5 * 2 / UPRIGHT_PX)
    return (controls + noise) / scale.view(-1, 1, 1)


def turn_at_center(theta: Tensor) -> Tensor:
    """Return the rotation, N in rad, that is nearest to a transform at its view's centre.

    That of the derivative there: the rotation of its polar decomposition.

    Args:
        theta: N×2×3 or N×3×3 between square pictures, normalised axes, not mirroring.
    """
    linear = theta[:, :2, :2]
    if theta.size(1) == 3:
        center, slopes, w = theta[:, :2, 2:], theta[:, 2:, :2], theta[:, 2:, 2:]
        linear = (linear - center * slopes / w) / w
    return torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1])


def _noisy_corners(count: int, generator: torch.Generator, share: float) -> Tensor:
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    scale = _scale(count, 0.75, 1.0, generator, share).view(-1, 1, 1)
    noise = torch.randn(count, 4, 2, generator=generator) * (share * 5 * 2 / UPRIGHT_PX)
    return square * scale + noise


def _is_convex(corners: Tensor) -> Tensor:
    """Whether N×4×2 corners make a convex quadrilateral, clockwise on the screen."""
    edges = corners.roll(-1, dims=1) - corners
    following = edges.roll(-1, dims=1)
    turns = edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]
    return (turns > 0).all(dim=1)


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _scale(
    count: int, low: float, high: float, generator: torch.Generator, share: float
) -> Tensor:
    return 1 + share * (_uniform(count, low, high, generator) - 1)
