# SPDX-License-Identifier: Apache-2.0
"""The features of words that tell most about what is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from stn_perception.studies.text.encoding import Numbering


def telling_features(
    texts: Sequence[Sequence[Sequence[str]]], classes: NDArray[np.int64], count: int
) -> Numbering:
    """Number the features whose presence has the most mutual information with the class.

    Args:
        texts: Features of each word of the texts to learn from, never of those that are tested.
        classes: Of the texts, from 0.
        count: Features to keep; they get the numbers from 1, all others 0.
    """
    # Sets would be read in another order by every process, and with it equal features numbered.
    column: dict[str, int] = {}
    cells = [
        (column.setdefault(name, len(column)), number)
        for text, number in zip(texts, classes.tolist(), strict=True)
        for name in dict.fromkeys(name for word in text for name in word)
    ]
    present = np.zeros((len(column), int(classes.max()) + 1))
    np.add.at(present, tuple(np.array(cells).T), 1)
    information = _mutual_information(present, np.bincount(classes))
    best = np.argsort(-information, kind="stable")[:count]
    names = list(column)
    numbers = {names[place]: number for number, place in enumerate(best, start=1)}
    return lambda name: numbers.get(name, 0)


def _mutual_information(
    present: NDArray[np.float64], texts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return it for each feature, in nats, from the texts of each class that have it."""
    joint = np.stack([present, texts - present]) / texts.sum()
    separate = joint.sum(axis=2, keepdims=True) * (texts / texts.sum())
    return np.asarray((xlogy(joint, joint) - xlogy(joint, separate)).sum(axis=(0, 2)))
