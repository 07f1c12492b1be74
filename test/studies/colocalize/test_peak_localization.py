# SPDX-License-Identifier: Apache-2.0
"""Between two places that look alike there is nothing: the stronger one is taken."""

import pytest
import torch

from stn_perception.studies.colocalize.peak_localization import PeakLocalization, strongest_place


def test_the_weaker_of_two_places_is_left_out() -> None:
    heat = torch.zeros(2, 21, 21)
    heat[:, 4, 5], heat[:, 4, 6], heat[:, 15, 17] = 0.3, 0.3, 0.4
    heat[1] = heat[1].flip(0, 1)
    kept = strongest_place(heat)
    expected = torch.zeros(21, 21)
    expected[4, 5:7] = 0.5
    assert torch.allclose(kept[0], expected)
    assert torch.allclose(kept[1], expected.flip(0, 1))


def test_training_moves_with_all_of_the_map_and_evaluation_does_not() -> None:
    torch.manual_seed(0)
    network = PeakLocalization(1, (4, 4), 1 / 3)
    torch.nn.init.normal_(network.last.weight)
    pictures = torch.rand(3, 1, 84, 84)
    assert (network.train().heat(pictures) > 0).all()
    kept = network.eval().heat(pictures)
    assert ((kept > 0).sum(dim=(1, 2)) <= 25).all()
    assert kept.sum(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])
