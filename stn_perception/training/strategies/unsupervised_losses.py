# SPDX-License-Identifier: Apache-2.0
"""Losses that need no labelled transforms, as functions of predictions and known warps.

Convention: ``crop_from_view`` is what a network predicts (theta), ``upright_from_crop`` the known
warp that a crop was cut with; their product is where the view lies in the picture before the warp,
whatever the warp was.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn.compose import compose, invert
from stn_perception.stn.object_network import correlation, round_window, view_half_side
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.strategies.likelihood import SIGMA_OF_LAPLACE

# The box of a turned object is larger than the object, by a quarter on the average for a square.
VIEW_OF_BOX = 0.9


def equivariance_errors(
    first: Tensor, second: Tensor, first_warp: Tensor, second_warp: Tensor
) -> Tensor:
    """Return how far the canonical views of two warps of one crop lie apart, N.

    The mean distance of the view's corners before the warps, in half sides of the view. Only
    equivariant predictions make it zero: a constant one leaves it as large as the warps differ,
    and a smaller view does not make it smaller.

    Args:
        first: crop_from_view of one crop, N×3×3.
        second: of the other.
        first_warp: upright_from_crop of the one crop, N×3×3.
        second_warp: of the other.
    """
    a, b = compose(first_warp, first), compose(second_warp, second)
    distance = (corners_from_theta(a) - corners_from_theta(b)).norm(dim=2).mean(dim=1)
    errors: Tensor = distance / (view_half_side(a) * view_half_side(b)).sqrt()
    return errors


def disagreement_likelihood(
    log_variance: Tensor, found: Tensor, other: Tensor, warp: Tensor, other_warp: Tensor
) -> Tensor:
    """Return the negative logarithm of how likely the predicted deviations make the disagreement.

    It teaches the variance alone. Each of the two predictions has a part in the disagreement, so
    that one of them has 1/sqrt(2) of it.

    Args:
        log_variance: N×4×2 of the view's corners in normalised crop axes.
        found: crop_from_view of a crop, N×3×3.
        other: of another warp of it.
        warp: upright_from_crop of the crop, N×3×3.
        other_warp: of the other warp.
    """
    expected = compose(compose(invert(warp), other_warp), other)
    apart = (corners_from_theta(found) - corners_from_theta(expected)).abs().detach()
    apart = torch.nan_to_num(apart, nan=2.0).clamp(max=2.0) / 2**0.5
    log_scale = 0.5 * log_variance - torch.log(torch.tensor(SIGMA_OF_LAPLACE))
    return (apart * torch.exp(-log_scale) + log_scale).mean()


def template_distances(views: Tensor, template: Tensor, blurs_px: tuple[float, ...]) -> Tensor:
    """Return one minus the correlation of smoothed views and templates, mean over blurs, N.

    Blind to brightness and contrast; the wider blur sees the template from farther away, the
    narrower one says where it is exactly.

    Args:
        views: N×1×T×T.
        template: N×1×T×T or 1×1×T×T.
        blurs_px: standard deviations.
    """
    template = template.expand(views.size(0), -1, -1, -1)
    window = round_window(views)
    likeness = [
        correlation(smoothed(views, blur), smoothed(template, blur), window) for blur in blurs_px
    ]
    return 1 - torch.stack(likeness).mean(dim=0)


def smoothed(pictures: Tensor, sigma_px: float) -> Tensor:
    """Blur N×1×T×T with a Gaussian that ends at the border; 0 leaves them as they are."""
    if sigma_px <= 0:
        return pictures
    axis = torch.arange(pictures.size(3), dtype=pictures.dtype, device=pictures.device)
    apart = (axis.reshape(-1, 1) - axis.reshape(1, -1)) / sigma_px
    # As two products: faster than a convolution of one channel.
    blur = torch.softmax(-0.5 * apart.square(), dim=1)
    return blur @ pictures @ blur.T


def target_errors(found: Tensor, corners: Tensor) -> Tensor:
    """Return the mean corner distance from a target in half sides of the target's box, N.

    Args:
        found: crop_from_view, N×3×3.
        corners: N×4×2 of the target in normalised crop axes.
    """
    half = (corners[:, 2] - corners[:, 0]).norm(dim=1) / 8**0.5
    distance = (corners_from_theta(found) - corners).norm(dim=2).mean(dim=1)
    errors: Tensor = distance / half.clamp(min=1e-3)
    return errors


def framing_error(upright_from_view: Tensor, half_sizes: Tensor) -> Tensor:
    """Return how badly the views of a batch frame their boxes on the average, a scalar.

    Equivariance and template leave open how large the view is and where its middle lies; the
    boxes say it, but only on the average: one box is larger or smaller as its object is turned.

    Args:
        upright_from_view: N×3×3, normalised axes of the box's crop, whose middle is the box's.
        half_sizes: N×2, half width and height of the box in the same axes.

    Returns:
        The squared mean place of the boxes' middles in the views, in half sides of the view, and
        the squared mean logarithm of the views' size over ``VIEW_OF_BOX`` of the boxes'.
    """
    view_from_upright = invert(upright_from_view)
    middle = view_from_upright[:, :2, 2] / view_from_upright[:, 2:, 2]
    half = VIEW_OF_BOX * half_sizes.max(dim=1).values
    size = torch.log(view_half_side(upright_from_view) / half).clamp(-2.0, 2.0)
    return middle.clamp(-2.0, 2.0).mean(dim=0).square().sum() + size.mean().square()
