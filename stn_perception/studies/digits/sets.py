# SPDX-License-Identifier: Apache-2.0
"""Digits to draw training batches from, and the sets for validation and test, fixed by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stn_perception.studies.data.digits import SetName, Split, load_digits
from stn_perception.studies.digits.distortion import Distorted

Distortion = Callable[[Tensor, torch.Generator], Distorted]
_SEEDS: dict[Split, int] = {"train": 11, "validation": 22, "test": 33}
_CHUNK = 1000


@dataclass(frozen=True, eq=False)
class UprightDigits:
    """Digits as they come.

    Attributes:
        images: uint8 N×28×28.
        labels: int64 N.
    """

    images: Tensor
    labels: Tensor

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw images and labels with replacement."""
        chosen = torch.randint(0, len(self.labels), (count,), generator=generator)
        return self.images[chosen], self.labels[chosen]


@dataclass(frozen=True, eq=False)
class DistortedSet:
    """A split, every digit distorted once.

    Attributes:
        digits: Pictures and true transforms.
        labels: int64 N.
    """

    digits: Distorted
    labels: Tensor


@lru_cache(maxsize=4)
def upright_digits(split: Split, name: SetName = "mnist") -> UprightDigits:
    """Return a split as tensors.

    Raises:
        StudyError: It cannot be fetched.
    """
    digits = load_digits(name, split)
    return UprightDigits(torch.from_numpy(digits.images.copy()), torch.from_numpy(digits.labels))


def distorted_set(split: Split, distortion: Distortion, name: SetName = "mnist") -> DistortedSet:
    """Return a split with every digit distorted once, always alike.

    Args:
        split: As a rule validation or test.
        distortion: As in ``lambda images, generator: distort("R", images, generator)``.
        name: Of the data set.
    """
    upright = upright_digits(split, name)
    generator = torch.Generator().manual_seed(_SEEDS[split])
    parts = [distortion(images, generator) for images in torch.split(upright.images, _CHUNK)]
    return DistortedSet(_joined(parts), upright.labels)


def _joined(parts: list[Distorted]) -> Distorted:
    return Distorted(
        torch.cat([part.images for part in parts]),
        torch.cat([part.upright_from_source for part in parts]),
        _joined_or_none([part.source_from_upright for part in parts]),
        _joined_or_none([part.angle_rad for part in parts]),
    )


def _joined_or_none(parts: list[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if len(there) == len(parts) else None
