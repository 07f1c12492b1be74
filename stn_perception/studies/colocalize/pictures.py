# SPDX-License-Identifier: Apache-2.0
"""Pictures of one digit class: T (translated) and TC (translated, cluttered).

Jaderberg et al. 2015, section 4.4 and appendix A.2: a digit of 28×28 px anywhere on 84×84 px of
black; for TC 16 pieces of 6×6 px of other training digits are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.clutter import clutter
from stn_perception.studies.digits.sets import upright_digits

SIDE_PX = 84
DIGIT_PX = 28
PIECES = 16
CLASSES = 10
COUNT = 100

# Digits of all classes whose pieces make the clutter.
_PIECE_SOURCES = 300
_SEEDS: dict[Split, int] = {"train": 1, "validation": 2, "test": 3}


@dataclass(frozen=True, eq=False)
class ClassPictures:
    """Pictures of one class, and the truth, which no training sees.

    Attributes:
        images: N×1×84×84 in 0 to 1.
        truth: picture_from_digit, N×3×3 in normalised axes: the 28×28 px that the digit came in.
    """

    images: Tensor
    truth: Tensor


@lru_cache(maxsize=64)
def class_pictures(digit: int, cluttered: bool, split: Split, count: int = COUNT) -> ClassPictures:
    """Return pictures of one class, always alike.

    Args:
        digit: 0 to 9.
        cluttered: TC, else T.
        split: Where the digits come from; the clutter is made of training digits as in the paper.
        count: How many.

    Raises:
        StudyError: The digits cannot be fetched.
    """
    generator = torch.Generator().manual_seed(1000 * _SEEDS[split] + 10 * int(cluttered) + digit)
    upright = upright_digits(split)
    own = torch.nonzero(upright.labels == digit).squeeze(1)
    own = own[torch.randperm(len(own), generator=generator)[:count]]
    others, _ = upright_digits("train").draw(_PIECE_SOURCES, generator)
    made = clutter(
        torch.cat([upright.images[own], others]),
        generator,
        side_px=SIDE_PX,
        pieces=PIECES if cluttered else 0,
    )
    assert made.source_from_upright is not None
    return ClassPictures(made.images[: len(own)], made.source_from_upright[: len(own)])
