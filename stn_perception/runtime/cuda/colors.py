# SPDX-License-Identifier: Apache-2.0
"""Colour conversion and normalisation of network inputs as one table of factors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stn_perception.messages.encodings import GRAY_SHARES, RGB_PLACES
from stn_perception.runtime.cuda.plan_layout import COLOR_ORDERS


def input_factors(
    channels: int,
    device: torch.device,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> torch.Tensor:
    """float32 orders×3×4: how levels 0-255 of a frame become a network's input.

    Output channel k of a frame of order o is ``sum_c table[o, k, c]·level_c + table[o, k, 3]``,
    over the first three channels as they lie in memory; alpha counts for nothing.

    Args:
        channels: 3 for RGB, 1 for gray (Rec. 601).
        device: Where the table goes.
        mean: Subtracted from values in [0, 1], one per channel; 0 when None.
        std: Divides them then; 1 when None.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}, expected 1 or 3")
    mean = (0.0,) * channels if mean is None else mean
    std = (1.0,) * channels if std is None else std
    if len(mean) != channels or len(std) != channels:
        raise ValueError(
            f"mean has {len(mean)} and std {len(std)} values, expected {channels} each"
        )
    table = torch.zeros((len(COLOR_ORDERS), 3, 4), dtype=torch.float64)
    for number, order in enumerate(COLOR_ORDERS):
        for channel in range(channels):
            for color, place in enumerate(RGB_PLACES[order]):
                share = GRAY_SHARES[color] if channels == 1 else float(color == channel)
                table[number, channel, place] += share / (255.0 * std[channel])
            table[number, channel, 3] = -mean[channel] / std[channel]
    return table.to(device=device, dtype=torch.float32)
