# SPDX-License-Identifier: Apache-2.0
"""A spatial transformer before a classifier; the box is what the classifier looks at.

The class hardly depends on how closely an object is looked at, so that one look makes small
objects' views too large and large ones' too small. The same network looks again at what it has
found (Lin and Lucey 2017), which leaves less of that error.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.localize.pyramid_localization import PyramidLocalization
from stn_perception.studies.localize.scene_kind import CLASS_COUNT

_VIEW_PX = 28
# At this side the localization network looks, at the scene and at what it has found in it.
_LOOK_PX = 42
# A second look sees so many sides of the first view: an object of middling size then looks as
# large as it does in the scene, and one that is small or large comes close to that.
SECOND_LOOKS, _MARGIN = 1, 3.1


class TransformerClassifier(nn.Module):
    """`forward(N×1×84×84)` returns N×10 logits of the scene.

    Args:
        widths: Features of the classifier's two convolutions and of its hidden layer.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 32)) -> None:
        super().__init__()
        first, second, hidden = widths
        self.transformer = SpatialTransformer(
            PyramidLocalization(),
            (_VIEW_PX, _VIEW_PX),
            localization_size=(_LOOK_PX, _LOOK_PX),
            mip_levels=1,
            anisotropic_taps=1,
            theta_only=True,
            refinement_steps=SECOND_LOOKS,
            refinement_margin=_MARGIN,
        )
        self.classifier = nn.Sequential(
            nn.Conv2d(1, first, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(second * (_VIEW_PX // 4) ** 2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, CLASS_COUNT),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.transformer(images))
        return logits

    def locate(self, images: Tensor) -> Tensor:
        """Return where the classifier looks, picture_from_view, N×2×3."""
        theta: Tensor = self.transformer.locate(images, self.transformer.prepare(images))
        return torch.as_tensor(theta)
