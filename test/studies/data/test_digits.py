# SPDX-License-Identifier: Apache-2.0
"""Digits come as published, and the splits share no picture."""

from typing import get_args

import numpy as np
import pytest

from stn_perception.studies.data.digits import SetName, load_digits

# The published counts of each digit among MNIST's training files.
TRAINING_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.mark.parametrize("name", get_args(SetName))
def test_the_splits_have_their_sizes_and_share_no_picture(name: SetName) -> None:
    rows = []
    for split, count in (("train", 50_000), ("validation", 10_000), ("test", 10_000)):
        digits = load_digits(name, split)
        assert digits.images.shape == (count, 28, 28)
        assert digits.labels.shape == (count,)
        rows.append({image.tobytes() for image in digits.images})
    assert len(rows[0] & rows[1]) < 10  # Fashion-MNIST holds a few pictures twice itself


def test_training_and_validation_are_the_published_training_files() -> None:
    labels = [load_digits("mnist", split).labels for split in ("train", "validation")]
    assert np.bincount(np.concatenate(labels)).tolist() == TRAINING_COUNTS


def test_a_picture_goes_with_its_label() -> None:
    digits = load_digits("mnist", "test")
    ones, zeros = (digits.images[digits.labels == digit] for digit in (1, 0))
    # A zero is hollow, a one is not.
    assert zeros[:, 13:15, 13:15].mean() < 60 < 150 < ones[:, 13:15, 13:15].mean()
