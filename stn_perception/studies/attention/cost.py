# SPDX-License-Identifier: Apache-2.0
"""What one picture costs a network."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from stn_perception.studies.attention.scenes import SIDE_PX
from stn_perception.studies.learning.lesson import device_of


def million_operations(network: nn.Module) -> float:
    """Return the operations of one picture's forward pass, in millions.

    PyTorch's own counter: a multiplication and an addition are two, of convolutions and matrix
    products; sampling, normalisation and the like are not counted.
    """
    picture = torch.zeros(1, 1, SIDE_PX, SIDE_PX, device=device_of(network))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(picture)
    return float(counter.get_total_flops()) / 1e6
