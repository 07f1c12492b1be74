# SPDX-License-Identifier: Apache-2.0
"""How well a transformer that was only told the class finds the digit."""

from __future__ import annotations

import torch
from torch import nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.networks import SIDE_PX
from stn_perception.studies.digits.sets import DistortedSet
from stn_perception.studies.learning.lesson import device_of

_CHUNK = 500


def median_miss_px(network: nn.Module, digits: DistortedSet) -> float | None:
    """Return the median distance between the views' centres and the digits', picture pixels.

    A constant offset is taken off: which point of the digit lies in the middle of a view is the
    network's choice.

    Returns:
        None where the network has no transformer.
    """
    found = [part for part in network.modules() if isinstance(part, SpatialTransformer)]
    if not found:
        return None
    truth = digits.digits.source_from_upright
    assert truth is not None
    device = device_of(network)
    views = torch.cat(
        [
            found[0].predict(images.to(device))[:, :2, 2].cpu()
            for images in torch.split(digits.digits.images, _CHUNK)
        ]
    )
    offsets_px = (views - truth[:, :2, 2]) * (SIDE_PX / 2)
    offsets_px = offsets_px - offsets_px.median(dim=0).values
    return float(offsets_px.norm(dim=1).median())
