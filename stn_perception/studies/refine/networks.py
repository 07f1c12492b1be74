# SPDX-License-Identifier: Apache-2.0
"""The networks of the rows: the host on the first view, and after one, two or four looks."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from stn_perception.stn import ParameterHead, ProjectiveFamily, SpatialTransformer
from stn_perception.stn.blocks import ConvBlock
from stn_perception.studies.digits.digit_host import DigitHost

Row = Literal["cnn", "st-cnn-1", "st-cnn-2", "st-cnn-4"]
ROWS: tuple[Row, ...] = get_args(Row)
LOOKS: dict[str, int] = {"cnn": 0, "st-cnn-1": 1, "st-cnn-2": 2, "st-cnn-4": 4}

# What Lin & Lucey's largest network has.
LARGEST_COUNT = 39_079
_VIEW_PX = 28
# A look needs less detail than a reading, and sampling is what looks cost.
_LOOK_PX = 16
_CLASSES = 10


class ViewLocalization(nn.Module):
    """From a view at 16×16 to the correction of its homography.

    `forward(N×1×16×16)` returns theta, N×3×3: corrected view to view.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvBlock(1, 8, kernel=5), ConvBlock(8, 16, stride=2), ConvBlock(16, 24, 2)
        )
        self.head = ParameterHead(24 * 4 * 4, ProjectiveFamily(), hidden=24)
        # Few channels: on a CPU the default layout is slower.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, views: Tensor) -> Tensor:
        """Return the correction."""
        theta: Tensor = self.head(self.features(views).flatten(1))
        return theta


class RefiningNetwork(nn.Module):
    """One localization network, applied again to each view it has made, then the host.

    Every view is sampled from the original picture, so that what the first view cut off can come
    into sight: that is the point of composing transforms instead of warping views (section 4.2).

    Args:
        looks: Times that the localization network looks; 0 is the host alone.
        widths: Of the host.
    """

    def __init__(self, looks: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.transformer = SpatialTransformer(
            ViewLocalization() if looks else nn.Identity(),
            (_VIEW_PX, _VIEW_PX),
            (_LOOK_PX, _LOOK_PX),
            mip_levels=0,
            theta_only=True,
            refinement_steps=max(0, looks - 1),
        )
        self.looks = looks
        self.host = DigitHost(1, widths, (2, 2), _CLASSES)

    def forward(self, pictures: Tensor, starts: Tensor) -> Tensor:
        """Return logits, N×10.

        Args:
            pictures: N×1×28×28, upright digits: what lies under the first view and around it.
            starts: picture_from_view of the first view, N×3×3.
        """
        logits: Tensor = self.host(self.view(pictures, self.thetas(pictures, starts)[-1]))
        return logits

    def view(self, pictures: Tensor, theta: Tensor) -> Tensor:
        """Return the views at given places, N×1×28×28."""
        levels = self.transformer.prepare(pictures)
        return self.transformer.view_of(levels, theta, pictures.dtype).views

    def thetas(self, pictures: Tensor, starts: Tensor) -> list[Tensor]:
        """Return picture_from_view of the first view and after each look, N×3×3 each."""
        levels = self.transformer.prepare(pictures)
        found = [starts]
        for _ in range(self.looks):
            found.append(self.transformer.refine(levels, found[-1], 1, pictures.dtype))
        return found


def build(row: str) -> RefiningNetwork:
    """Return a row's network."""
    looks = LOOKS[row]
    return RefiningNetwork(looks, (16, 32) if looks else (18, 41))
