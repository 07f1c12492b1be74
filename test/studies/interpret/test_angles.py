# SPDX-License-Identifier: Apache-2.0
"""The angle of a view is measured right, whatever the family, and its lessons know the turn."""

import math

import pytest
import torch
from torch import Tensor, nn

from stn_perception.stn import SpatialTransformer, control_grid, make_family
from stn_perception.studies.interpret.learned_angles import learned_angles
from stn_perception.studies.interpret.lessons import EquivariantLesson, SupervisedLesson
from stn_perception.studies.mnist.networks import digit_network
from stn_perception.studies.mnist.rows import ROWS


class Says(nn.Module):
    """A localization network with an answer of its own for each picture's first pixel."""

    def __init__(self, answers: Tensor) -> None:
        super().__init__()
        self.answers = nn.Parameter(answers)

    def forward(self, images: Tensor) -> Tensor:
        return self.answers[images[:, 0, 0, 0].long()]


def found(answers: Tensor) -> Tensor:
    numbers = torch.arange(len(answers), dtype=torch.float32)
    images = numbers.view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    return learned_angles(SpatialTransformer(Says(answers), (8, 8)).eval(), images)


ANGLES = torch.linspace(-2.5, 2.5, 21)


def test_an_affine_views_angle_is_its_rotation_without_its_scale() -> None:
    raw = torch.zeros(21, 6)
    raw[:, 2] = math.pi * torch.atanh(ANGLES / math.pi)
    raw[:, 3:5] = 0.4
    raw[:, 0] = 0.2
    torch.testing.assert_close(found(make_family("affine")(raw)), ANGLES)


def test_a_splines_angle_is_that_of_the_affine_transform_nearest_to_it() -> None:
    controls = control_grid(4, 4, torch.device("cpu")).float()
    cosine, sine = ANGLES.cos(), ANGLES.sin()
    turn = torch.stack(
        [torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)], dim=1
    )
    turned = torch.einsum("nij,kj->nki", turn, controls) * 0.8 + 0.1
    torch.testing.assert_close(found(turned), ANGLES)


def test_a_transform_that_follows_every_turn_has_no_equivariance_error() -> None:
    network = digit_network(ROWS["st-cnn-affine-r"])
    lesson = EquivariantLesson(network, steps=1)
    of_digits, turned, turned_from_given = lesson.batch(16, torch.Generator().manual_seed(0))
    answers = torch.cat([torch.eye(3)[:2].expand(16, 2, 3), turned_from_given])
    given = torch.arange(32.0).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    assert network.transformer is not None
    network.transformer.localization = Says(answers)
    labels = torch.zeros(16, dtype=torch.int64)

    def loss(order: Tensor) -> float:
        batch = ((given[:16], labels, False), given[16:][order], turned_from_given)
        return float(lesson.loss(network.eval(), batch).detach())

    follows, does_not = loss(torch.arange(16)), loss(torch.arange(16).flip(0))
    alone = float(lesson._digits.loss(network, (given[:16], labels, False)).detach())
    assert follows == pytest.approx(alone, abs=1e-5)
    assert does_not > follows + 0.1
    assert turned.shape == of_digits[0].shape


def test_what_is_told_the_angle_learns_it_from_its_batches() -> None:
    network = digit_network(ROWS["st-cnn-affine-r"]).transformer
    assert network is not None
    lesson = SupervisedLesson(network)
    images, angle_rad = lesson.batch(64, torch.Generator().manual_seed(0))
    knows = SpatialTransformer(Says(_affine(angle_rad)), (8, 8))
    numbers = torch.arange(64.0).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    assert float(lesson.loss(knows, (numbers, angle_rad)).detach()) == pytest.approx(0, abs=1e-6)
    assert float(lesson.loss(network, (images, angle_rad)).detach()) > 0.1


def _affine(angle_rad: Tensor) -> Tensor:
    raw = torch.zeros(len(angle_rad), 6)
    raw[:, 2] = math.pi * torch.atanh(angle_rad / math.pi)
    return make_family("affine")(raw)
