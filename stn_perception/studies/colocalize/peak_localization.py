# SPDX-License-Identifier: Apache-2.0
"""A heat map that makes up its mind: trained as a whole, read where it is strongest."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from stn_perception.studies.digits.heatmap_localization import HeatmapLocalization

# Cells to each side of the strongest place that count with it: 20 px of a picture of 84 px.
_REACH = 2


class PeakLocalization(HeatmapLocalization):
    """The expected place of all the map while it learns; later that of the strongest place alone.

    Where two places look alike, the expected one lies between them and shows neither. Training
    needs it, as it moves with both.
    """

    def heat(self, pictures: Tensor) -> Tensor:
        """Return how much of the attention each cell has, N×h×w, 1 in all."""
        heat = super().heat(pictures)
        return heat if self.training else strongest_place(heat)


def strongest_place(heat: Tensor) -> Tensor:
    """Keep the 5×5 cells that have the most together, N×h×w to N×h×w with the sum 1."""
    side = 2 * _REACH + 1
    together = functional.avg_pool2d(heat.unsqueeze(1), side, 1, _REACH).flatten(1)
    best = together.argmax(dim=1).view(-1, 1, 1)
    rows = torch.arange(heat.size(1), device=heat.device).view(1, -1, 1)
    columns = torch.arange(heat.size(2), device=heat.device).view(1, 1, -1)
    near = torch.maximum(
        (rows - best // heat.size(2)).abs(), (columns - best % heat.size(2)).abs()
    )
    kept = heat * (near <= _REACH)
    return kept / kept.sum(dim=(1, 2), keepdim=True)
