# SPDX-License-Identifier: Apache-2.0
"""Five folds: which texts teach, which choose the settings, which are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FOLDS = 5
_SEED = 2127
# Of what is not tested, one text in so many is kept for choosing.
_VALIDATION_EVERY = 10


@dataclass(frozen=True, eq=False)
class Split:
    """Places of texts, int64 vectors that share no place.

    Attributes:
        train: What is learned from.
        validation: What settings are chosen by.
        test: What figures are told of.
    """

    train: Tensor
    validation: Tensor
    test: Tensor

    def learned(self) -> Tensor:
        """Return everything but the test texts, for a method without settings to choose."""
        return torch.cat([self.train, self.validation])


def split_of(classes: NDArray[np.int64], fold: int) -> Split:
    """Return one of five splits; every text is tested in one of them.

    Args:
        classes: N; each fold has its share of every class.
        fold: 0 to 4.
    """
    shuffled = np.random.default_rng(_SEED).permutation(len(classes))
    order = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.arange(len(order))
    is_test = rank % FOLDS == fold
    rest = order[~is_test]
    is_validation = np.arange(len(rest)) % _VALIDATION_EVERY == 0
    return Split(
        train=torch.from_numpy(rest[~is_validation]),
        validation=torch.from_numpy(rest[is_validation]),
        test=torch.from_numpy(order[is_test]),
    )
