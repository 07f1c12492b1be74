# SPDX-License-Identifier: Apache-2.0
"""No network is larger than the published one; each look is composed with those before it."""

import pytest
import torch
from torch import Tensor, nn

from stn_perception.stn import compose
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.refine.networks import LARGEST_COUNT, ROWS, build
from stn_perception.studies.refine.perturbation import draw_starts


def test_no_network_is_larger_than_the_published_one_and_all_are_alike() -> None:
    counts = [parameter_count(build(row)) for row in ROWS]
    assert max(counts) <= LARGEST_COUNT
    assert min(counts) == pytest.approx(max(counts), rel=0.02)


@pytest.mark.parametrize("row", ROWS)
def test_an_untrained_network_stays_at_the_first_view(row: str) -> None:
    network = build(row).eval()
    pictures = torch.rand(4, 1, 28, 28)
    starts = draw_starts(4, torch.Generator().manual_seed(0))
    with torch.no_grad():
        thetas = network.thetas(pictures, starts)
        logits, first = network(pictures, starts), network.host(network.view(pictures, starts))
    for theta in thetas:
        torch.testing.assert_close(theta, starts, atol=1e-6, rtol=0)
    torch.testing.assert_close(logits, first)


class Always(nn.Module):
    def __init__(self, correction: Tensor) -> None:
        super().__init__()
        self.correction = correction

    def forward(self, views: Tensor) -> Tensor:
        return self.correction.expand(len(views), 3, 3)


def test_four_looks_compose_four_corrections() -> None:
    network = build("st-cnn-4").eval()
    correction = torch.tensor([[[0.9, 0.1, 0.05], [-0.1, 0.9, 0.0], [0.02, 0.0, 1.0]]])
    network.transformer.localization = Always(correction)
    starts = draw_starts(2, torch.Generator().manual_seed(0))
    thetas = network.thetas(torch.rand(2, 1, 28, 28), starts)
    assert len(thetas) == 5
    expected = starts
    for _ in range(4):
        expected = compose(expected, correction.expand(2, 3, 3))
    torch.testing.assert_close(thetas[-1], expected)


def test_what_the_first_view_cut_off_comes_into_sight() -> None:
    network = build("st-cnn-1").eval()
    pictures = torch.rand(1, 1, 28, 28)
    right_half = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    network.transformer.localization = Always(torch.linalg.inv(right_half))
    back = network.thetas(pictures, right_half)[-1]
    torch.testing.assert_close(network.view(pictures, back), pictures, atol=1e-4, rtol=0)
