# SPDX-License-Identifier: Apache-2.0
"""The loss of views that shall be alike, and where what they share lies in them."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.studies.colocalize.encoding import squared_distances

# Squared distances are at most 4, mostly below 2: no pair is ever good enough to be left out.
MARGIN = 2.0


def triplet_loss(found: Tensor, at_random: Tensor, margin: float = MARGIN) -> Tensor:
    """Return the mean hinge loss over all pairs of pictures, a scalar.

    Args:
        found: N×F, encoded views.
        at_random: N×F, an encoded random place of each picture.
        margin: By which two views shall be closer than a view and its random place.
    """
    apart = squared_distances(found, found)
    from_random = squared_distances(found, at_random).diagonal().unsqueeze(1)
    return torch.relu(apart - from_random + margin).mean()


def off_center(views: Tensor) -> Tensor:
    """Return the squared distance between a mean view's ink and its middle, in half sides.

    Args:
        views: N×1×H×W; what lies all about, as clutter does, is taken off.
    """
    mean = views.mean(dim=(0, 1))
    ink = torch.relu(mean - mean.median())
    ink = ink / (ink.sum() + 1e-6)
    across = (2 * torch.arange(len(ink), dtype=ink.dtype, device=ink.device) + 1) / len(ink) - 1
    return (ink.sum(dim=0) @ across).square() + (ink.sum(dim=1) @ across).square()
