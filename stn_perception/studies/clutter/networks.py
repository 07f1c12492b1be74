# SPDX-License-Identifier: Apache-2.0
"""The networks of the rows: the host on the whole picture, and on the transformer's view."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.digits.digit_host import DigitHost
from stn_perception.studies.digits.heatmap_localization import HeatmapLocalization

Row = Literal["cnn", "st-cnn"]
ROWS: tuple[Row, ...] = get_args(Row)

SIDE_PX, VIEW_PX = 60, 28
_CLASSES = 10


def build(row: str) -> nn.Module:
    """Return a row's network, N×1×60×60 to N×10."""
    if row == "cnn":
        # As many parameters as host and localization network have together.
        return DigitHost(1, (24, 49, 100), (2, 2, 2), _CLASSES)
    # Scale 1: pixels of the view are as far apart as those of the picture.
    localization = HeatmapLocalization(1, (16, 32, 32), VIEW_PX / SIDE_PX)
    transformer = SpatialTransformer(
        localization, (VIEW_PX, VIEW_PX), mip_levels=0, theta_only=True
    )
    return nn.Sequential(transformer, DigitHost(1, (24, 48, 96), (2, 1, 2), _CLASSES))
