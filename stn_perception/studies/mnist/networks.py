# SPDX-License-Identifier: Apache-2.0
"""A row's network: a host, with or without a transformer, always about as many parameters."""

from __future__ import annotations

from torch import Tensor, nn

from stn_perception.stn import (
    CanonicalViews,
    FamilyLimits,
    LocalizationNetwork,
    SpatialTransformer,
    make_family,
)
from stn_perception.stn.blocks import ConvBlock
from stn_perception.studies.digits.distortion import SIDE_PX
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.mnist.hosts import host_of_size
from stn_perception.studies.mnist.rows import FamilyName, HostKind, MnistRow

PARAMETERS = 398_000
# Four fifths of the host's work on the whole picture, which pays for the transformer.
VIEW_PX = 24
_FAMILIES: dict[FamilyName, str] = {
    "affine": "affine",
    "projective": "projective",
    "tps": "thin_plate_spline",
}
# Enough for every distortion here, and too little to look away from the digit.
_LIMITS = FamilyLimits(translation=0.6, scale=2.0, shear=0.7, displacement=0.7)


class DigitNetwork(nn.Module):
    """A host behind a transformer, if it has one: N×1×H×W to N×10 logits.

    Args:
        transformer: None without one.
        host: The classifier.
    """

    def __init__(self, transformer: SpatialTransformer | None, host: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        self.host = host

    def canonicalize(self, images: Tensor) -> CanonicalViews:
        """Return what the host looks at, with the transforms.

        Raises:
            ValueError: There is no transformer.
        """
        if self.transformer is None:
            raise ValueError("this network has no transformer")
        return self.transformer.canonicalize(images)

    def seen(self, images: Tensor) -> Tensor:
        """Return what the host looks at, N×1×h×w."""
        return images if self.transformer is None else self.canonicalize(images).views

    def forward(self, images: Tensor) -> Tensor:
        """Return the classes' logits."""
        logits: Tensor = self.host(self.seen(images))
        return logits


def digit_network(row: MnistRow) -> DigitNetwork:
    """Return a row's network with fresh weights.

    What the localization network has, a network without one has in its host.
    """
    if row.family is None:
        host = host_of_size(row.host, SIDE_PX[row.kind], PARAMETERS)
        return DigitNetwork(None, host)
    transformer = SpatialTransformer(
        localization_network(row.host, row.family, SIDE_PX[row.kind]),
        (VIEW_PX, VIEW_PX),
        mip_levels=0,
        theta_only=True,
    )
    rest = PARAMETERS - parameter_count(transformer)
    return DigitNetwork(transformer, host_of_size(row.host, VIEW_PX, rest))


def localization_network(host: HostKind, family: FamilyName, side_px: int) -> LocalizationNetwork:
    """Return what looks where the digit is: convolutional before a CNN, else fully connected."""
    head = make_family(_FAMILIES[family], _LIMITS)
    if host == "fcn":
        layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(side_px * side_px, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
            nn.Unflatten(1, (32, 1, 1)),
        )
        return LocalizationNetwork(layers, 32, head, pooled=1, hidden=32)
    features = nn.Sequential(
        ConvBlock(1, 16, stride=2, kernel=5), ConvBlock(16, 32, stride=2), ConvBlock(32, 48)
    )
    return LocalizationNetwork(features, 48, head, pooled=4, hidden=64)
