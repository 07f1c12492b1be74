# SPDX-License-Identifier: Apache-2.0
"""The networks that classify: fully connected, and convolutional with most work at 7×7 pixels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.mnist.rows import HostKind

CLASSES = 10
_STEP = 8


class FullyConnectedHost(nn.Module):
    """Two hidden layers, as the paper's FCN: N×1×H×W to N×10.

    Args:
        side_px: H = W.
        width: Units of each hidden layer.
    """

    def __init__(self, side_px: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(side_px * side_px, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, CLASSES),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the classes' logits."""
        logits: Tensor = self.layers(images)
        return logits


class ConvolutionalHost(nn.Module):
    """Stride 2 at once, 3×3 convolutions, one shortcut: N×1×H×W to N×10, any H and W.

    Args:
        width: Channels of the last stage, where a parameter costs the least time.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.early = nn.Sequential(
            ConvBlock(1, 32, stride=2, kernel=5), ConvBlock(32, 48), nn.MaxPool2d(2)
        )
        self.widen = ConvBlock(48, 96)
        self.refine = ConvBlock(96, 96)
        self.late = ConvBlock(96, width, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(3)
        self.last = nn.Linear(9 * width, CLASSES)
        # Features lie channels last: faster on a CPU, and on a GPU in half precision.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return the classes' logits."""
        features = self.widen(self.early(images))
        features = self.late(features + self.refine(features))
        logits: Tensor = self.last(self.pool(features).flatten(1))
        return logits


def host_of_size(kind: HostKind, side_px: int, parameters: int) -> nn.Module:
    """Return the widest host that has no more than so many parameters.

    Args:
        kind: fcn or cnn.
        side_px: Of the pictures that it sees.
        parameters: At most.

    Raises:
        ValueError: Not even the narrowest one is that small.
    """
    build: Callable[[int], nn.Module] = ConvolutionalHost
    if kind == "fcn":

        def build(width: int) -> nn.Module:
            return FullyConnectedHost(side_px, width)

    width = _STEP
    with torch.device("meta"):  # counted only
        while parameter_count(build(width + _STEP)) <= parameters:
            width += _STEP
    host = build(width)
    if parameter_count(host) > parameters:
        raise ValueError(f"no {kind} has at most {parameters} parameters")
    return host
