# SPDX-License-Identifier: Apache-2.0
"""What the transformer looks at among the clutter."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.pictures import held
from stn_perception.studies.learning.view_sheet import GREEN, tile, write_sheet

_COUNT = 8


def write_picture(network: nn.Module, path: Path) -> None:
    """Write test pictures with the view's outline, and the views below them.

    Args:
        network: A trained one with a transformer.
        path: Of the JPEG.
    """
    transformer = next(part for part in network.modules() if isinstance(part, SpatialTransformer))
    pictures = held("test").inputs[0][:_COUNT]
    with torch.no_grad():
        found = transformer.canonicalize(pictures)
    above = [
        tile(one[0], (theta, GREEN)) for one, theta in zip(pictures, found.theta, strict=True)
    ]
    write_sheet(path, [above, [tile(view[0]) for view in found.views]])
