# SPDX-License-Identifier: Apache-2.0
"""How well upright boxes agree that are given as transforms of a view."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn import corners_from_theta


def overlap(theta: Tensor, truth: Tensor) -> Tensor:
    """Return intersection over union of upright boxes.

    Args:
        theta: picture_from_view, N×2×3 or N×3×3 in normalised axes, without rotation or shear:
            the box is what the view shows.
        truth: The same of the true boxes.

    Returns:
        N, 0 to 1.
    """
    found, true = corners_from_theta(theta), corners_from_theta(truth)
    start = torch.maximum(found[:, 0], true[:, 0])
    end = torch.minimum(found[:, 2], true[:, 2])
    both = (end - start).clamp_min(0).prod(dim=1)
    return both / (_area(found) + _area(true) - both)


def _area(corners: Tensor) -> Tensor:
    return (corners[:, 2] - corners[:, 0]).prod(dim=1)
