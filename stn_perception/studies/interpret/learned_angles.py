# SPDX-License-Identifier: Apache-2.0
"""The angle that a transformer gives a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn import SpatialTransformer, control_grid
from stn_perception.studies.digits.transforms import turn_at_center
from stn_perception.studies.learning.lesson import device_of

_BATCH = 500


@torch.no_grad()
def learned_angles(transformer: SpatialTransformer, images: Tensor) -> Tensor:
    """Return the turn of each view at its centre, N in rad, positive from +x towards +y.

    Args:
        transformer: In evaluation mode.
        images: N×1×H×H.
    """
    device = device_of(transformer)
    parts = torch.split(images, _BATCH)
    return torch.cat([_turn(_theta(transformer, part.to(device)).cpu()) for part in parts])


def _theta(transformer: SpatialTransformer, images: Tensor) -> Tensor:
    return transformer.locate(images, transformer.prepare(images))


def _turn(theta: Tensor) -> Tensor:
    """The nearest rotation; of a spline, that of the affine transform nearest to it."""
    if theta.size(2) == 3:
        return turn_at_center(theta)
    controls = control_grid(4, 4, torch.device("cpu")).to(theta.dtype)
    # The regular grid is centred and its axes are orthogonal: least squares without solving.
    linear = torch.einsum("nkc,kd->ncd", theta, controls) / controls.square().sum(dim=0)
    return torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1])
