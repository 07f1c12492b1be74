# SPDX-License-Identifier: Apache-2.0
"""Which digit each reader names, though nobody ever told it what a digit is."""

from __future__ import annotations

import torch

from stn_perception.studies.addition.networks import Adder
from stn_perception.studies.addition.pairs import Pairs
from stn_perception.studies.learning.lesson import device_of

_CHUNK = 500


def named_percent(network: Adder, pairs: Pairs) -> float:
    """Return how many digits, in percent, are named by the reader that took over their channel.

    Which reader took over which channel is what fits the pairs better.
    """
    device = device_of(network)
    named = torch.cat(
        [
            torch.stack([logits.argmax(dim=1) for logits in network.readings(some.to(device))], 1)
            for some in torch.split(pairs.images, _CHUNK)
        ]
    ).cpu()
    straight = (named == pairs.labels).float().mean()
    crossed = (named == pairs.labels.flip(1)).float().mean()
    return 100 * float(torch.maximum(straight, crossed))
