# SPDX-License-Identifier: Apache-2.0
"""Both rows have the same size; digits count as named whichever reader took which channel."""

import pytest
import torch
from torch import Tensor

from stn_perception.studies.addition.naming import named_percent
from stn_perception.studies.addition.networks import Adder, build
from stn_perception.studies.addition.pairs import Pairs
from stn_perception.studies.learning.lesson import parameter_count


def test_both_rows_have_the_same_number_of_parameters() -> None:
    plain, with_transformers = (parameter_count(build(row)) for row in ("cnn", "2-st-cnn"))
    assert plain == pytest.approx(with_transformers, rel=0.02)


@pytest.mark.parametrize("row", ["cnn", "2-st-cnn"])
def test_an_untrained_network_gives_probabilities_of_19_sums(row: str) -> None:
    with torch.no_grad():
        found = build(row).eval()(torch.rand(3, 2, 42, 42))
    assert found.shape == (3, 19)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(3))


class Knowing(Adder):
    """Reads the digits off the first pixels of the channels, the second channel's first."""

    def readings(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        values = pictures[:, :, 0, 0].long()
        first, second = torch.nn.functional.one_hot(values, 10).float().unbind(dim=1)
        return second, first


def test_naming_does_not_ask_which_reader_took_which_channel() -> None:
    labels = torch.randint(0, 10, (1000, 2), generator=torch.Generator().manual_seed(0))
    images = labels.float().view(1000, 2, 1, 1).expand(1000, 2, 24, 24)
    pairs = Pairs(images, labels, torch.eye(3).expand(1000, 2, 3, 3))
    assert named_percent(Knowing((4, 4), (2, 2), None), pairs) == pytest.approx(100)
