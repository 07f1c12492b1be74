# SPDX-License-Identifier: Apache-2.0
"""The same encoding without a network: try every window, keep what is most like all the others."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from stn_perception.studies.colocalize.encoding import Encoding
from stn_perception.studies.colocalize.pictures import DIGIT_PX, SIDE_PX

_STRIDE_PX = 4
_MOST_ROUNDS = 30


def search(images: Tensor) -> Tensor:
    """Return picture_from_view, N×2×3, of a window in each picture; nothing is learned.

    It begins with the window of most ink. Then, until nothing changes, each picture's window
    becomes the one that points most along the mean of all pictures' windows. (Nearest to the mean
    would be an empty window as soon as the windows differ.)

    Args:
        images: N×1×84×84 of one class.
    """
    with torch.no_grad():
        encoding = Encoding()
        encoded = torch.stack([encoding(_windows(image)) for image in images])
        chosen = torch.stack([_windows(image).sum(dim=(1, 2, 3)).argmax() for image in images])
        for _ in range(_MOST_ROUNDS):
            mean = encoded[torch.arange(len(images)), chosen].mean(dim=0)
            nearest = (encoded @ mean).argmax(dim=1)
            if torch.equal(nearest, chosen):
                break
            chosen = nearest
    return _thetas()[chosen]


def _windows(image: Tensor) -> Tensor:
    """1×84×84 to M×1×28×28, row by row."""
    columns = functional.unfold(image.unsqueeze(0), DIGIT_PX, stride=_STRIDE_PX)
    return columns[0].t().view(-1, 1, DIGIT_PX, DIGIT_PX)


def _thetas() -> Tensor:
    """Where the windows lie, M×2×3."""
    starts = torch.arange(0, SIDE_PX - DIGIT_PX + 1, _STRIDE_PX)
    centers = (2 * starts + DIGIT_PX) / SIDE_PX - 1
    y, x = torch.meshgrid(centers, centers, indexing="ij")
    x, y = x.flatten(), y.flatten()
    scale, zero = torch.full_like(x, DIGIT_PX / SIDE_PX), torch.zeros_like(x)
    rows = [torch.stack([scale, zero, x], dim=1), torch.stack([zero, scale, y], dim=1)]
    return torch.stack(rows, dim=1)
