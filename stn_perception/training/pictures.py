# SPDX-License-Identifier: Apache-2.0
"""Crops beside the views that a network takes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample


def crops_beside_views(crops: Tensor, theta: Tensor) -> Tensor:
    """Return N×3×S×2S in [0, 1]: the crop on the left, its rectified view on the right.

    Args:
        crops: N×C×S×S in [0, 1], gray or RGB.
        theta: N×3×3, view to crop in normalised axes; a transform without a finite value
            gives a black view.
    """
    size = crops.shape[-1]
    finite = torch.isfinite(theta).all(dim=2).all(dim=1)
    usable = torch.where(
        finite.reshape(-1, 1, 1), theta, torch.eye(3, dtype=theta.dtype, device=theta.device)
    )
    views = sample(crops.float(), homography_grid(usable.float(), size, size, size, size))
    views = views * finite.reshape(-1, 1, 1, 1)
    pairs = torch.cat([crops.float(), views], dim=3).clamp(0, 1)
    return pairs.expand(-1, 3, -1, -1) if pairs.shape[1] == 1 else pairs
