# SPDX-License-Identifier: Apache-2.0
"""A pair has a digit in each channel, distorted by itself; the task tells their sum alone."""

import torch

from stn_perception.stn import homography_grid, sample
from stn_perception.studies.addition.pairs import draw, held
from stn_perception.studies.digits.sets import upright_digits


def test_the_task_tells_the_sum_and_nothing_else() -> None:
    pairs = held("validation")
    task = pairs.task()
    assert task.labels.tolist() == (pairs.labels[:, 0] + pairs.labels[:, 1]).tolist()
    assert len(task.inputs) == 1
    assert task.inputs[0].shape == (10_000, 2, 42, 42)
    # Sums of two uniform digits: 9 is the likeliest, about one in ten.
    counts = task.labels.bincount()
    assert len(counts) == 19
    assert 900 < int(counts[9]) < 1100


def test_each_channel_shows_its_digit_under_its_transform() -> None:
    pairs, digits = held("validation"), upright_digits("validation")
    for channel in range(2):
        theta = pairs.source_from_upright[:20, channel]
        seen = sample(
            pairs.images[:20, channel : channel + 1], homography_grid(theta, 28, 28, 42, 42)
        )
        for view, label in zip(seen, pairs.labels[:20, channel], strict=True):
            distances = (digits.images.float() / 255 - view).square().sum(dim=(1, 2))
            assert digits.labels[distances.argmin()] == label


def test_training_pairs_are_drawn_anew() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = draw(8, generator), draw(8, generator)
    assert not torch.equal(first.inputs[0], second.inputs[0])
    assert first.labels.shape == (8,)
