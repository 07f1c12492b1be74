# SPDX-License-Identifier: Apache-2.0
"""A transformer is led from upright to distorted digits; errors are counted digit by digit."""

import pytest
import torch
from torch import Tensor, nn

from stn_perception.studies.digits.distortion import Distorted
from stn_perception.studies.digits.sets import DistortedSet, upright_digits
from stn_perception.studies.mnist.curriculum import WHOLE, Curriculum, Stage
from stn_perception.studies.mnist.lesson import DigitLesson, error_percent
from stn_perception.studies.mnist.networks import digit_network
from stn_perception.studies.mnist.rows import ROWS


def test_the_host_reads_first_then_rests_and_learns_along_at_last() -> None:
    curriculum = Curriculum(reading=0.1, growth=0.2, turning=0.4)
    assert curriculum.stage(0.05) == Stage(0.0, host_rests=False)
    assert curriculum.stage(0.2).share == pytest.approx(0.5)
    assert curriculum.stage(0.2).host_rests
    assert curriculum.stage(0.4) == Stage(1.0, host_rests=True)
    assert curriculum.stage(0.51) == Stage(1.0, host_rests=False)


def test_without_a_transformer_all_of_it_is_there_from_the_second_step_on() -> None:
    assert WHOLE.stage(1e-6) == Stage(1.0, host_rests=False)


def test_a_resting_host_gets_no_gradient_while_the_transformer_does() -> None:
    network = digit_network(ROWS["st-cnn-affine-r"])
    lesson = DigitLesson(network, "R", steps=2)
    images, labels, _ = lesson.batch(8, torch.Generator().manual_seed(0))
    lesson.loss(network, (images, labels, True)).backward()
    assert all(p.grad is None for p in network.host.parameters())
    assert network.transformer is not None
    last = network.transformer.localization.head.last
    assert float(last.weight.grad.abs().max()) > 0
    lesson.loss(network, (images, labels, False)).backward()
    assert all(p.grad is not None for p in network.host.parameters())


def test_a_batch_begins_upright_and_ends_distorted() -> None:
    lesson = DigitLesson(digit_network(ROWS["st-cnn-affine-rts"]), "RTS", steps=2)
    generator = torch.Generator().manual_seed(0)
    early, late = (lesson.batch(300, generator)[0] for _ in range(2))

    def ink_outside_of_the_middle(images: Tensor) -> float:
        middle = images[..., 7:35, 7:35].sum()
        return float(1 - middle / images.sum())

    assert ink_outside_of_the_middle(early) < 0.001
    assert ink_outside_of_the_middle(late) > 0.02


class TellsOddFromEven(nn.Module):
    """Reads the label out of the first pixel; wrong for odd ones."""

    def __init__(self) -> None:
        super().__init__()
        self.zero = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        label = (images[:, 0, 0, 0] * 10).round().long()
        return nn.functional.one_hot(label - label % 2, 10) + self.zero


def test_errors_are_a_share_of_all_digits() -> None:
    labels = upright_digits("validation").labels[:1203]
    images = (labels / 10).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    digits = DistortedSet(Distorted(images, torch.empty(0), None, None), labels)
    odd = 100 * float((labels % 2).double().mean())
    with torch.no_grad():
        assert error_percent(TellsOddFromEven(), digits) == pytest.approx(odd)
