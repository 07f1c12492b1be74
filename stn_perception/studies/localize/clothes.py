# SPDX-License-Identifier: Apache-2.0
"""Scenes: one piece of clothing of any size anywhere, and scraps of others all about.

The true box is the square that the 28×28 px picture of Fashion-MNIST was scaled to. Its objects
fill that picture along their longer side and lie in its middle.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.distortion import placed
from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.digits.transforms import UPRIGHT_PX, similarity
from stn_perception.studies.localize.scene_kind import SIDE_PX, Scenes

_SMALLEST_PX, _LARGEST_PX = 22.0, 50.0
_SCRAPS, _SCRAP_PX = 12, 9
_SEEDS: dict[Split, int] = {"train": 11, "validation": 22, "test": 33}


class ClothesScenes:
    """Fashion-MNIST's clothes in clutter; see `SceneKind`."""

    title = "Objects in clutter, 84×84"
    truth_text = "the square that the 28×28 px picture was scaled to"

    def draw(self, split: Split, count: int, generator: torch.Generator) -> Scenes:
        """Draw scenes of a split's objects; scraps come from the same split.

        Sides are uniform in their logarithm, places are uniform where all of the square fits.

        Raises:
            StudyError: The pictures cannot be fetched.
        """
        clothes = upright_digits(split, "fashion-mnist")
        images, labels = clothes.draw(count, generator)
        grown = math.log(_LARGEST_PX / _SMALLEST_PX)
        side_px = _SMALLEST_PX * torch.exp(grown * torch.rand(count, generator=generator))
        place = torch.rand(count, 2, generator=generator) - 0.5
        shift_px = place * (SIDE_PX - side_px).unsqueeze(1)
        theta = similarity(torch.zeros(count), side_px / UPRIGHT_PX, shift_px, SIDE_PX)
        clean = placed(images, theta, SIDE_PX)
        assert clean.source_from_upright is not None
        scraps = _scraps(clothes.images, count, generator)
        return Scenes(torch.maximum(clean.images, scraps), labels, clean.source_from_upright)

    def fixed(self, split: Split, count: int) -> Scenes:
        """Return scenes for validation or test, always alike."""
        return self.draw(split, count, torch.Generator().manual_seed(_SEEDS[split]))

    def shown(self, images: Tensor) -> Tensor:
        """Return scenes or views as they are."""
        return images


def _scraps(clothes: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return N×1×84×84: squares cut out of pictures, at random places; the brighter one shows."""
    shape = (count, _SCRAPS, 1)
    within = torch.arange(_SCRAP_PX)
    which = torch.randint(0, len(clothes), (count, _SCRAPS, 1, 1), generator=generator)
    cut = torch.randint(0, UPRIGHT_PX - _SCRAP_PX + 1, (2, *shape), generator=generator) + within
    put = torch.randint(0, SIDE_PX - _SCRAP_PX + 1, (2, *shape), generator=generator) + within
    pixels = clothes[which, cut[0].unsqueeze(3), cut[1].unsqueeze(2)].float() / 255
    cells = put[0].unsqueeze(3) * SIDE_PX + put[1].unsqueeze(2)
    empty = torch.zeros(count, SIDE_PX * SIDE_PX)
    filled = empty.scatter_reduce(1, cells.flatten(1), pixels.flatten(1), "amax")
    return filled.view(count, 1, SIDE_PX, SIDE_PX)
