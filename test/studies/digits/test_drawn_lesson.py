# SPDX-License-Identifier: Apache-2.0
"""The lesson is the cross-entropy of the class; the error counts what is named wrong."""

import math

import pytest
import torch
from torch import Tensor, nn

from stn_perception.studies.digits.drawn_lesson import DrawnLesson, Task, error_percent


class Sum(nn.Module):
    """Logits from two inputs, so that a task of several is passed on in order."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.factor * (first + 10 * second)


def one_hot(classes: list[int]) -> Tensor:
    return nn.functional.one_hot(torch.tensor(classes), 3).float()


def test_the_error_is_the_share_of_wrong_names() -> None:
    names = one_hot([0, 1, 2, 0] * 300)
    labels = torch.tensor([0, 1, 2, 1] * 300)
    task = Task((torch.zeros_like(names), names), labels)
    assert error_percent(Sum(), task) == pytest.approx(25)


def test_the_loss_is_the_mean_of_the_labels_surprise() -> None:
    task = Task((torch.zeros(2, 3), one_hot([0, 0]) / 10), torch.tensor([0, 1]))
    network = Sum()
    lesson = DrawnLesson(network, (), lambda count, generator: task, lambda: task)
    total = math.e + 2
    expected = (math.log(total / math.e) + math.log(total)) / 2
    inputs, labels = lesson.batch(2, torch.Generator())
    assert float(lesson.loss(network, (inputs, labels)).detach()) == pytest.approx(expected)
    assert lesson.validation(network) == {"error_percent": 50}
