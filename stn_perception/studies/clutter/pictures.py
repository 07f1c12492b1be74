# SPDX-License-Identifier: Apache-2.0
"""The cluttered pictures: drawn anew for training, always the same for the other splits."""

from __future__ import annotations

from functools import lru_cache, partial

import torch
from torch import Tensor

from stn_perception.studies.clutter.networks import SIDE_PX
from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.clutter import clutter
from stn_perception.studies.digits.distortion import Distorted
from stn_perception.studies.digits.drawn_lesson import Task
from stn_perception.studies.digits.sets import DistortedSet, distorted_set, upright_digits

# The published 60×60 pictures have six pieces; their co-localisation has sixteen on 84×84.
PIECES, MANY_PIECES = 6, 16


def draw(count: int, generator: torch.Generator) -> Task:
    """Draw training pictures; the clutter is of training digits."""
    images, labels = upright_digits("train").draw(count, generator)
    return Task((cluttered(images, generator).images,), labels)


@lru_cache(maxsize=2)
def cluttered_set(split: Split, pieces: int = PIECES) -> DistortedSet:
    """Return a split with its true transforms, each digit in clutter of its own split."""
    return distorted_set(split, partial(cluttered, pieces=pieces))


def held(split: Split, pieces: int = PIECES) -> Task:
    """Return a split as a task."""
    found = cluttered_set(split, pieces)
    return Task((found.digits.images,), found.labels)


def cluttered(images: Tensor, generator: torch.Generator, pieces: int = PIECES) -> Distorted:
    """Put digits in clutter, 60×60; see `clutter`."""
    return clutter(images, generator, SIDE_PX, pieces)
