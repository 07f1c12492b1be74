# SPDX-License-Identifier: Apache-2.0
"""The host network: a small residual classifier that costs little, with or without a transformer.

The stem is strided, so that nothing is computed at full resolution, and most parameters are where
they are applied at few places; mean and maximum over all places come last, so that any picture
size goes.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al. 2016). Maps N×C×H×W to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the features with what the block adds."""
        return torch.relu(features + self.second(self.first(features)))


class DigitHost(nn.Module):
    """N×C×H×W pictures to N×K numbers.

    While it learns, its convolutions run in bfloat16, which takes a third off their time on a CPU
    that has it; a trained host runs in the pictures' own precision.

    Args:
        channels: C.
        widths: Channels after the stem and after each further convolution; the last one is
            followed by a residual block.
        strides: Of the same convolutions.
        outputs: K.
    """

    def __init__(
        self, channels: int, widths: tuple[int, ...], strides: tuple[int, ...], outputs: int
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBlock(channels, widths[0], strides[0], kernel=5)]
        for (before, after), stride in zip(pairwise(widths), strides[1:], strict=True):
            layers.append(ConvBlock(before, after, stride))
        layers.append(ResidualBlock(widths[-1]))
        self.features = nn.Sequential(*layers)
        self.last = nn.Linear(2 * widths[-1], outputs)
        # Fewer channels than a register holds make the default layout slow on a CPU.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the numbers."""
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.training):
            features = self.features(pictures.contiguous(memory_format=torch.channels_last))
        features = features.to(pictures.dtype)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        numbers: Tensor = self.last(pooled)
        return numbers
