# SPDX-License-Identifier: Apache-2.0
"""Pictures of two channels, each with a digit of its own, and what the two come to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.distortion import distort
from stn_perception.studies.digits.drawn_lesson import Task
from stn_perception.studies.digits.sets import UprightDigits, upright_digits

_SEEDS: dict[Split, int] = {"train": 77, "validation": 88, "test": 99}


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of digits, rotated, scaled and translated independently (RTS).

    Attributes:
        images: N×2×42×42 in 0 to 1.
        labels: int64 N×2, the digit of each channel.
        source_from_upright: N×2×3×3, the theta that undoes each channel's distortion.
    """

    images: Tensor
    labels: Tensor
    source_from_upright: Tensor

    def task(self) -> Task:
        """Return the pictures and the sums, 0 to 18: all that a network learns from."""
        return Task((self.images,), self.labels.sum(dim=1))


def draw(count: int, generator: torch.Generator) -> Task:
    """Draw training pairs."""
    return _pairs(upright_digits("train"), count, generator).task()


@lru_cache(maxsize=2)
def held(split: Split) -> Pairs:
    """Return 10,000 pairs of a split, always the same."""
    generator = torch.Generator().manual_seed(_SEEDS[split])
    parts = [_pairs(upright_digits(split), 1000, generator) for _ in range(10)]
    return Pairs(
        torch.cat([part.images for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat([part.source_from_upright for part in parts]),
    )


def _pairs(digits: UprightDigits, count: int, generator: torch.Generator) -> Pairs:
    images, labels = digits.draw(2 * count, generator)
    drawn = distort("RTS", images, generator)
    assert drawn.source_from_upright is not None
    side = drawn.images.size(2)
    return Pairs(
        drawn.images.view(count, 2, side, side),
        labels.view(count, 2),
        drawn.source_from_upright.view(count, 2, 3, 3),
    )
