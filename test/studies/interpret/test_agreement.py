# SPDX-License-Identifier: Apache-2.0
"""Angles agree up to what nobody told the network, and no further."""

import math

import pytest
import torch

from stn_perception.studies.interpret.agreement import Agreement, agreement, half_turn_of

COUNT = 4000


@pytest.fixture
def true_rad() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(COUNT, generator=generator) - 0.5) * math.pi


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.arange(COUNT) % 10


def compare(learned: torch.Tensor, true: torch.Tensor, labels: torch.Tensor) -> Agreement:
    return agreement(learned, true, labels, half_turn_of(labels))


def test_an_upright_of_ones_own_for_each_class_is_no_error(
    true_rad: torch.Tensor, labels: torch.Tensor
) -> None:
    offset = torch.linspace(-3.0, 3.0, 10)
    found = compare(true_rad + offset[labels], true_rad, labels)
    assert found.median_deg < 1e-3
    assert found.r_squared == pytest.approx(1.0)
    assert found.slope == pytest.approx(1.0)
    is_asymmetric = ~half_turn_of(labels)
    torch.testing.assert_close(
        found.offset_rad[is_asymmetric], offset[labels][is_asymmetric].double()
    )


def test_whole_turns_more_are_no_error(true_rad: torch.Tensor, labels: torch.Tensor) -> None:
    turns = 2 * math.pi * (torch.arange(COUNT) % 3)
    assert compare(true_rad + turns, true_rad, labels).median_deg < 1e-3


def test_half_a_turn_is_no_error_of_digits_that_look_the_same_then(
    true_rad: torch.Tensor, labels: torch.Tensor
) -> None:
    flipped = torch.where(torch.arange(COUNT) % 20 < 10, math.pi, 0.0)
    found = compare(true_rad + flipped, true_rad, labels)
    error_deg = found.error_rad.rad2deg().abs()
    symmetric = half_turn_of(labels)
    assert labels[symmetric].unique().tolist() == [0, 1, 8]
    assert float(error_deg[symmetric].max()) < 1e-3
    # Half of the others point one way and half the other: their mean fits neither.
    assert float(error_deg[~symmetric].min()) > 80


def test_noise_of_a_known_size_is_found_again(
    true_rad: torch.Tensor, labels: torch.Tensor
) -> None:
    noise = torch.randn(COUNT, generator=torch.Generator().manual_seed(1)) * math.radians(5)
    found = compare(true_rad + noise, true_rad, labels)
    assert found.median_deg == pytest.approx(0.6745 * 5, rel=0.06)
    # Angles even within ±90° have a variance of 2700 square degrees.
    assert found.r_squared == pytest.approx(1 - 25 / 2700, abs=0.001)


def test_no_angle_at_all_explains_nothing(true_rad: torch.Tensor, labels: torch.Tensor) -> None:
    asymmetric = ~half_turn_of(labels)
    true, which = true_rad[asymmetric], labels[asymmetric]
    found = compare(torch.zeros_like(true), true, which)
    assert found.r_squared == pytest.approx(0.0, abs=0.02)
    assert found.slope == pytest.approx(0.0, abs=0.02)
    assert found.median_deg == pytest.approx(45, abs=2)
