# SPDX-License-Identifier: Apache-2.0
"""Localization networks: from an image to theta (Jaderberg et al. 2015, section 3.1).

A network is features, then a head, then a family. The head's last layer starts at zero with the
family's identity as its bias, so that an untrained transformer passes its input through. Learning
rates for this part are gentle (published ones: ×0.1 to ×1e-4 of the classifier's), and it looks at
the input image, not at feature maps (Finnveden, Jansson and Lindeberg 2020, "Understanding when
spatial transformer networks do not support invariance").
"""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stn_perception.stn.families import TransformFamily


class ParameterHead(nn.Module):
    """Features to a family's raw numbers to theta: one hidden layer, then a zero layer.

    `forward(features N×F)` returns theta, N×2×3, N×3×3 or N×K×2 as the family says.

    Args:
        features: F.
        family: what the raw numbers mean.
        hidden: width of the hidden layer.
        start: centre of the initial view in normalised source axes; (0, 0) is the identity.
        jitter: standard deviation of the noise on the initial raw numbers.
        generator: for the jitter; PyTorch's own when None.
    """

    def __init__(
        self,
        features: int,
        family: TransformFamily,
        hidden: int = 64,
        start: tuple[float, float] = (0.0, 0.0),
        jitter: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, hidden)
        self.last = nn.Linear(hidden, family.parameter_count)
        self.family = family
        initial = torch.tensor(family.initial_raw(*start))
        if jitter > 0:
            initial = initial + jitter * torch.randn(initial.shape, generator=generator)
        with torch.no_grad():
            self.last.weight.zero_()
            self.last.bias.copy_(initial)

    def forward(self, features: Tensor) -> Tensor:
        """Return theta for N×F features."""
        theta: Tensor = self.family(self.last(torch.relu(self.hidden(features))))
        return theta


class LocalizationNetwork(nn.Module):
    """Any feature extractor with a `ParameterHead`.

    `forward(image N×C×H×W)` returns theta.

    Args:
        features: N×C×H×W to N×D×h×w; the result is averaged to `pooled`×`pooled` cells, which
            makes the network take any image size and keeps where things are.
        channels: D.
        family: what the head predicts.
        pooled: cells per side.
        head_options: passed on to `ParameterHead` (hidden, start, jitter, generator).
    """

    def __init__(
        self,
        features: nn.Module,
        channels: int,
        family: TransformFamily,
        pooled: int = 4,
        **head_options: Any,
    ) -> None:
        super().__init__()
        self.features = features
        self.pool = nn.AdaptiveAvgPool2d(pooled)
        self.head = ParameterHead(channels * pooled * pooled, family, **head_options)

    def forward(self, image: Tensor) -> Tensor:
        """Return theta for N×C×H×W images, in the network's floating-point type or above."""
        theta: Tensor = self.head(self.pool(self.features(image)).flatten(1))
        return theta


class ConvLocalizationNetwork(LocalizationNetwork):
    """The compact convolutional one: strided 3×3 convolutions, group normalised.

    Args:
        family: what it predicts.
        channels: of the image, 1 or 3 as a rule.
        widths: channels of each halving.
        pooled: cells per side that the features are averaged to.
        head_options: passed on to `ParameterHead` (hidden, start, jitter, generator).
    """

    def __init__(
        self,
        family: TransformFamily,
        channels: int = 3,
        widths: Sequence[int] = (16, 32, 64),
        pooled: int = 4,
        **head_options: Any,
    ) -> None:
        layers = [
            conv_block(before, after)
            for before, after in zip([channels, *widths[:-1]], widths, strict=True)
        ]
        super().__init__(nn.Sequential(*layers), widths[-1], family, pooled, **head_options)


def conv_block(channels_in: int, channels_out: int, stride: int = 2) -> nn.Sequential:
    """Return 3×3 convolution, group normalisation and ReLU: the brick of the networks here.

    Group normalisation works on a batch of one and needs no running statistics.
    """
    groups = max(g for g in (8, 4, 2, 1) if channels_out % g == 0)
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1),
        nn.GroupNorm(groups, channels_out),
        nn.ReLU(),
    )


def parameter_groups(
    model: nn.Module,
    localization: Iterable[nn.Module],
    learning_rate: float,
    localization_factor: float = 0.1,
) -> list[dict[str, Any]]:
    """Return an optimiser's two parameter groups: the model's, and the gentler localization's.

    Args:
        model: everything to train.
        localization: the localization networks inside it.
        learning_rate: of the rest.
        localization_factor: of the rest's rate; 0.1 to 1e-4 is published.
    """
    gentle = {id(p) for network in localization for p in network.parameters()}
    parameters = list(model.parameters())
    return [
        {"params": [p for p in parameters if id(p) not in gentle], "lr": learning_rate},
        {
            "params": [p for p in parameters if id(p) in gentle],
            "lr": learning_rate * localization_factor,
        },
    ]
