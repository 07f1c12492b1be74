# SPDX-License-Identifier: Apache-2.0
"""The networks of the rows: two readers on the whole picture, or on a transformer's view each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from stn_perception.stn import (
    AffineFamily,
    ConvLocalizationNetwork,
    ParallelSpatialTransformers,
    SpatialTransformer,
)
from stn_perception.studies.addition.sums import log_probabilities_of_sums
from stn_perception.studies.digits.digit_host import DigitHost

Row = Literal["cnn", "2-st-cnn"]
ROWS: tuple[Row, ...] = get_args(Row)

_VIEW_PX = 24
_CLASSES = 10
_FAINT = 0.25


class Adder(nn.Module):
    """Two readers, each of which names one digit, and the sum of what they name.

    Each reader, and each transformer, starts with an eye for one of the channels: equal ones would
    have to find out first who names which digit. Nothing keeps them from learning otherwise.

    `forward(N×2×42×42)` returns log-probabilities of the sums, N×19.

    Args:
        widths: Of both readers.
        strides: Of both readers.
        transformers: The two that see the picture first; None shows both readers the picture.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        strides: tuple[int, ...],
        transformers: ParallelSpatialTransformers | None,
    ) -> None:
        super().__init__()
        self.transformers = transformers
        self.readers = nn.ModuleList(DigitHost(2, widths, strides, _CLASSES) for _ in range(2))
        for channel, reader in enumerate(self.readers):
            _favour(reader, channel)
        for channel, part in enumerate(self.parts):
            _favour(part, channel)

    @property
    def parts(self) -> Sequence[SpatialTransformer]:
        """The transformers, none or two."""
        found = self.transformers.transformers if self.transformers else ()
        return [part for part in found if isinstance(part, SpatialTransformer)]

    def forward(self, pictures: Tensor) -> Tensor:
        """Return log-probabilities of the sums."""
        return log_probabilities_of_sums(*self.readings(pictures))

    def readings(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return both readers' logits, N×10 each."""
        if self.transformers is None:
            views = [pictures, pictures]
        else:
            views = list(self.transformers(pictures).unbind(dim=1))
        first, second = (reader(view) for reader, view in zip(self.readers, views, strict=True))
        return first, second


def _favour(part: nn.Module, channel: int) -> None:
    """Let the first convolution of a part see the other channel faintly."""
    first = next(module for module in part.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        first.weight[:, 1 - channel] *= _FAINT


def build(row: str) -> Adder:
    """Return a row's network."""
    if row == "cnn":
        # As many parameters as readers and localization networks have together.
        return Adder((16, 40, 80), (2, 2, 2), None)
    transformers = ParallelSpatialTransformers.spread_out(
        2,
        lambda start: ConvLocalizationNetwork(
            AffineFamily(), channels=2, widths=(16, 32, 32), pooled=6, hidden=32, start=start
        ),
        (_VIEW_PX, _VIEW_PX),
        radius=0.1,
        mip_levels=0,
        theta_only=True,
    )
    return Adder((16, 32, 64), (2, 1, 2), transformers)
