# SPDX-License-Identifier: Apache-2.0
"""The perturbed views of Lin & Lucey 2017, section 5.1, as their published code draws them.

Each corner of the first view moves by normal noise of 12.5 % of the side, and all four together by
as much again. The homography through them says where the first view lies in the digit's picture.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from stn_perception.stn import theta_from_corners
from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.drawn_lesson import Task
from stn_perception.studies.digits.sets import upright_digits

# Normalised axes: 12.5 % of a side that is 2 long.
NOISE = 0.25
_SEEDS: dict[Split, int] = {"train": 44, "validation": 55, "test": 66}


def draw_starts(count: int, generator: torch.Generator) -> Tensor:
    """Draw where first views lie.

    Args:
        count: N.
        generator: A CPU one.

    Returns:
        picture_from_view, N×3×3, normalised axes.
    """
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    each = torch.randn(count, 4, 2, generator=generator)
    together = torch.randn(count, 1, 2, generator=generator)
    return theta_from_corners(corners + NOISE * (each + together))


def draw(count: int, generator: torch.Generator) -> Task:
    """Draw training digits, each with a first view."""
    images, labels = upright_digits("train").draw(count, generator)
    return _task(images, labels, generator)


@lru_cache(maxsize=2)
def held(split: Split) -> Task:
    """Return a split, each digit with a first view that is always the same."""
    digits = upright_digits(split)
    return _task(digits.images, digits.labels, torch.Generator().manual_seed(_SEEDS[split]))


def _task(images: Tensor, labels: Tensor, generator: torch.Generator) -> Task:
    pictures = images.unsqueeze(1).float() / 255
    return Task((pictures, draw_starts(len(labels), generator)), labels)
