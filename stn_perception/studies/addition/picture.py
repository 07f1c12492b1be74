# SPDX-License-Identifier: Apache-2.0
"""What each of the two transformers looks at."""

from __future__ import annotations

from pathlib import Path

import torch

from stn_perception.studies.addition.networks import Adder
from stn_perception.studies.addition.pairs import held
from stn_perception.studies.learning.view_sheet import GREEN, ORANGE, tile, write_sheet

_COUNT = 8


def write_picture(network: Adder, path: Path) -> None:
    """Write both channels with both views' outlines, and below what each view makes of each.

    From above: the two channels; both in the first transformer's view; both in the second's.

    Args:
        network: A trained one with transformers.
        path: Of the JPEG.
    """
    pictures = held("test").images[:_COUNT]
    with torch.no_grad():
        found = [part.canonicalize(pictures) for part in network.parts]
    outlines = [
        list(zip(thetas, (GREEN, ORANGE), strict=True))
        for thetas in zip(*(views.theta for views in found), strict=True)
    ]
    rows = [
        [tile(one[channel], *both) for one, both in zip(pictures, outlines, strict=True)]
        for channel in range(2)
    ]
    for views in found:
        rows += [[tile(view[channel]) for view in views.views] for channel in range(2)]
    write_sheet(path, rows)
