# SPDX-License-Identifier: Apache-2.0
"""Host networks of several sizes, and the transformer that is put before each."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from stn_perception.stn import (
    AffineFamily,
    ConvLocalizationNetwork,
    SpatialTransformer,
    conv_block,
)


@dataclass(frozen=True)
class HostKind:
    """One host.

    Attributes:
        name: In words.
        side_px: Of its pictures.
        channels: Of its pictures.
        batch: Pictures of a training step.
        make: A fresh one.
    """

    name: str
    side_px: int
    channels: int
    batch: int
    make: Callable[[], nn.Module]


def digit_cnn() -> nn.Module:
    """The digits' CNN of Jaderberg et al. 2015, appendix A.1: two convolutions, two poolings."""
    return nn.Sequential(
        *_pooled(1, 32, 9), *_pooled(32, 32, 7), nn.Flatten(), nn.Linear(32 * 2 * 2, 10)
    )


def house_number_cnn() -> nn.Module:
    """The CNN of Jaderberg et al. 2015, section 4.2: eight convolutions and dense layers."""
    widths, pools = (48, 64, 128, 160, 192, 192, 192, 192), (0, 2, 4, 6)
    layers: list[nn.Module] = []
    for index, (before, after) in enumerate(itertools.pairwise((3, *widths))):
        layers += [nn.Conv2d(before, after, 5, padding=2), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if index in pools else []
    features = 192 * 4 * 4
    for _ in range(3):
        layers += [nn.Flatten(), nn.Linear(features, 3072), nn.ReLU()]
        features = 3072
    return nn.Sequential(*layers, nn.Linear(features, 5 * 11))


def halving_cnn(widths: tuple[int, ...], repeats: int) -> nn.Module:
    """A plain network of today's kind: 3×3 convolutions, a halving for each width.

    Args:
        widths: Channels after each halving.
        repeats: Convolutions after each.
    """
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise((3, *widths)):
        layers.append(conv_block(before, after))
        layers += [conv_block(after, after, stride=1) for _ in range(repeats)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 200)
    )


HOSTS = (
    HostKind("digits' CNN of the paper", 28, 1, 64, digit_cnn),
    HostKind("house numbers' CNN of the paper", 64, 3, 8, house_number_cnn),
    HostKind(
        "5 halvings, 10 convolutions", 224, 3, 4, lambda: halving_cnn((16, 32, 64, 128, 128), 1)
    ),
    HostKind(
        "5 halvings, 15 convolutions", 224, 3, 2, lambda: halving_cnn((32, 64, 128, 256, 256), 2)
    ),
)


def transformer(host: HostKind, look_px: int, mip_levels: int) -> SpatialTransformer:
    """An affine transformer with the compact localization network, view and picture alike in size.

    Args:
        host: What it is put before.
        look_px: Side of the picture that its localization network looks at.
        mip_levels: 0 is the paper's sampler.
    """
    side = (host.side_px, host.side_px)
    look = None if look_px == host.side_px else (look_px, look_px)
    localization = ConvLocalizationNetwork(AffineFamily(), host.channels, (8, 16, 32))
    return SpatialTransformer(localization, side, look, mip_levels=mip_levels)


def _pooled(before: int, after: int, kernel: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, kernel), nn.ReLU(), nn.MaxPool2d(2)]
