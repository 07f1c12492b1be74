# SPDX-License-Identifier: Apache-2.0
"""What the network sees before and after each look."""

from __future__ import annotations

from pathlib import Path

import torch

from stn_perception.studies.learning.view_sheet import GREEN, tile, write_sheet
from stn_perception.studies.refine.networks import RefiningNetwork
from stn_perception.studies.refine.perturbation import held

_COUNT = 8


def write_picture(network: RefiningNetwork, path: Path) -> None:
    """Write digits with the first view's outline, then the first view and that after each look.

    Args:
        network: A trained one.
        path: Of the JPEG.
    """
    pictures, starts = (part[:_COUNT] for part in held("test").inputs)
    with torch.no_grad():
        thetas = network.thetas(pictures, starts)
        seen = [network.view(pictures, theta) for theta in thetas]
    rows = [[tile(one[0], (theta, GREEN)) for one, theta in zip(pictures, starts, strict=True)]]
    rows += [[tile(view[0]) for view in views] for views in seen]
    write_sheet(path, rows)
