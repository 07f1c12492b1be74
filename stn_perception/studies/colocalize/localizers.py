# SPDX-License-Identifier: Apache-2.0
"""Ten transformers, one for each digit class; each has only ever seen its own class."""

from __future__ import annotations

from torch import nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.colocalize.encoding import VIEW_PX
from stn_perception.studies.colocalize.peak_localization import PeakLocalization
from stn_perception.studies.colocalize.pictures import CLASSES, DIGIT_PX, SIDE_PX

_WIDTHS = (12, 12, 12)
# One halving: the first views of a training are twice as large.
_MIP_LEVELS = 1
# Of the heat map's last weights at the start. From zero, where every view is the middle, a hundred
# steps lead nowhere.
_FIRST_WEIGHTS = 0.3


class DigitLocalizers(nn.Module):
    """A transformer for each class, of known size and unknown place."""

    def __init__(self) -> None:
        super().__init__()
        self.transformers = nn.ModuleList(_transformer() for _ in range(CLASSES))

    def of(self, digit: int) -> SpatialTransformer:
        """Return a class's transformer."""
        transformer = self.transformers[digit]
        assert isinstance(transformer, SpatialTransformer)
        return transformer


def _transformer() -> SpatialTransformer:
    localization = PeakLocalization(1, _WIDTHS, DIGIT_PX / SIDE_PX)
    nn.init.normal_(localization.last.weight, std=_FIRST_WEIGHTS)
    return SpatialTransformer(
        localization,
        (VIEW_PX, VIEW_PX),
        mip_levels=_MIP_LEVELS,
        anisotropic_taps=1,
        theta_only=True,
    )
