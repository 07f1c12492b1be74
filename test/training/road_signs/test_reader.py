# SPDX-License-Identifier: Apache-2.0
"""The sign reader: turns, factoring, losses, and that an upright view is what it says."""

import math

import numpy as np
import pytest
import torch

from stn_perception.stn.sign_classifier import SignClassifier
from stn_perception.stn.sign_reader import SignReader
from stn_perception.stn.sign_turns import turned, unturned_corners
from stn_perception.stn.transforms import corners_from_theta, theta_from_corners
from stn_perception.training.road_signs.losses import (
    class_log_likelihood,
    residual_turn,
    turn_target,
    wrapped,
)
from stn_perception.training.road_signs.measuring import turn_between

CLASSES = 5
SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def random_corners(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(count, generator=generator)
    turn = torch.stack(
        [
            torch.stack([torch.cos(angle), -torch.sin(angle)], 1),
            torch.stack([torch.sin(angle), torch.cos(angle)], 1),
        ],
        1,
    )
    noise = 0.15 * torch.randn(count, 4, 2, generator=generator)
    return 0.6 * (SQUARE @ turn.transpose(1, 2)) + noise


@pytest.fixture
def reader() -> SignReader:
    torch.manual_seed(0)
    return SignReader(CLASSES, widths=(8, 8, 8, 8)).eval()


def test_a_turn_before_changes_the_turn_by_itself_and_the_unturned_square_not_at_all() -> None:
    corners = random_corners(50)
    theta = theta_from_corners(corners)
    unturned, angle = unturned_corners(corners)
    for extra in (0.3, math.pi / 2, -2.0):
        more = turned(theta, torch.full((50,), extra))
        again, other = unturned_corners(corners_from_theta(more))
        assert torch.allclose(again, unturned, atol=1e-4)
        assert torch.allclose(
            wrapped(other - angle - extra, 2 * math.pi), torch.zeros(50), atol=1e-4
        )
    back = corners_from_theta(turned(theta_from_corners(unturned), angle))
    assert torch.allclose(back, corners, atol=1e-5)


def test_a_quarter_turn_starts_the_corners_one_further() -> None:
    corners = random_corners(10)
    quarter = turned(theta_from_corners(corners), torch.full((10,), math.pi / 2))
    assert torch.allclose(corners_from_theta(quarter), corners.roll(-1, dims=1), atol=1e-5)


def test_the_residual_turn_is_the_turn_in_the_plane_for_tilted_signs_too() -> None:
    truth = theta_from_corners(random_corners(20, 1))
    found = turned(truth, torch.linspace(-3, 3, 20))
    expected = -torch.linspace(-3, 3, 20)
    assert torch.allclose(residual_turn(found, truth), expected, atol=1e-3)
    for f, t, e in zip(found.double().numpy(), truth.double().numpy(), expected, strict=True):
        assert turn_between(f, t) == pytest.approx(float(e), abs=1e-3)


def test_turn_targets_sum_to_one_and_point_back_to_the_angle() -> None:
    angle = torch.linspace(-3, 3, 30)
    for symmetry in (1, 2, 4):
        shares, distance = turn_target(angle, torch.full((30,), symmetry), 24)
        assert torch.allclose(shares.sum(1), torch.ones(30))
        assert ((shares > 1e-4).sum(1) <= 2 * symmetry).all()
        best = shares.argmax(1, keepdim=True)
        found = (best + distance.gather(1, best)).squeeze(1) * (2 * math.pi / 24)
        off = wrapped(found - angle, 2 * math.pi / symmetry)
        assert torch.allclose(off, torch.zeros(30), atol=1e-4)


def test_turns_that_look_alike_share_their_likelihood() -> None:
    logits = torch.randn(3, 4 * CLASSES + 1)
    every = torch.log_softmax(logits, 1).exp()
    index, turns = torch.tensor([2, 2, CLASSES]), torch.tensor([1, 1, 0])
    found = class_log_likelihood(logits, index, turns, torch.tensor([1, 2, 0])).exp()
    assert found[0] == pytest.approx(float(every[0, 9]), rel=1e-4)
    assert found[1] == pytest.approx(float(every[1, 9] + every[1, 11]), rel=1e-4)
    assert found[2] == pytest.approx(float(every[2, -1]), rel=1e-4)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_view_is_turned_as_the_reader_says(reader: SignReader, quarters: int) -> None:
    crops = torch.rand(4, 3, 64, 64)
    last = reader.reader[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
        unchanged = reader(crops)
        last.bias[4 * 3 + quarters] = 9.0
        found = reader(crops)
    expected = turned(unchanged["theta"], torch.full((4,), quarters * math.pi / 2))
    assert torch.allclose(found["theta"], expected, atol=1e-5)
    rolled = unchanged["log_variance"].reshape(-1, 4, 2).roll(-quarters, dims=1)
    assert torch.allclose(found["log_variance"].reshape(-1, 4, 2), rolled)
    assert (found["class_logits"].argmax(1) == 3).all()


def test_scripting_changes_nothing(reader: SignReader) -> None:
    crops = torch.rand(3, 3, 64, 64)
    for network in (reader, SignClassifier(CLASSES).eval()):
        with torch.inference_mode():
            expected, found = network(crops), torch.jit.script(network)(crops)
        for name, value in expected.items():
            assert torch.allclose(value, found[name], atol=1e-5), name


def test_the_class_reaches_the_locator_through_the_view(reader: SignReader) -> None:
    crops = torch.rand(2, 3, 64, 64)
    centred = reader.centred(crops)
    corners, logits, corrections, _ = reader.locator(centred)
    theta = turned(theta_from_corners(corners), reader.angles(logits, corrections))
    reader.read(reader.view(centred, theta))[:, 0].sum().backward()
    gradient = reader.locator.hidden.weight.grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0


def test_both_networks_have_as_many_weights() -> None:
    def weights(network: torch.nn.Module) -> int:
        return sum(p.numel() for p in network.parameters())

    assert weights(SignClassifier(63)) == pytest.approx(weights(SignReader(63)), rel=0.1)


def test_sizes_that_do_not_halve_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        SignReader(3, input_size=50)
    assert np.isfinite(SignReader(3)(torch.zeros(1, 3, 64, 64))["theta"].detach().numpy()).all()
