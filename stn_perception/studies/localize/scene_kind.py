# SPDX-License-Identifier: Apache-2.0
"""Scenes with one thing to find, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from stn_perception.studies.data.digits import Split

SIDE_PX = 84
CLASS_COUNT = 10


@dataclass(frozen=True, eq=False)
class Scenes:
    """Scenes, their classes and the truth, which no training sees.

    Attributes:
        images: N×1×84×84.
        labels: int64 N, 0 to 9.
        truth: picture_from_object, N×3×3 in normalised axes: a square.
    """

    images: Tensor
    labels: Tensor
    truth: Tensor


class SceneKind(Protocol):
    """Clothes in clutter, or rendered things on tables.

    Attributes:
        title: Of its table.
        truth_text: What the true box is, for the table's note.
    """

    title: str
    truth_text: str

    def draw(self, split: Split, count: int, generator: torch.Generator) -> Scenes:
        """Draw scenes of a split's objects.

        Raises:
            StudyError: What they are made of cannot be had.
        """

    def fixed(self, split: Split, count: int) -> Scenes:
        """Return scenes for validation or test, always alike."""

    def shown(self, images: Tensor) -> Tensor:
        """Return scenes or views as pictures in 0 to 1."""
