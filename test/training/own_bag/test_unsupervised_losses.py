# SPDX-License-Identifier: Apache-2.0
"""Each loss is smallest where it should be, and no constant prediction gets there."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from stn_perception.stn.compose import compose, invert
from stn_perception.stn.object_network import (
    ObjectNetwork,
    correlation,
    fitted_theta,
    round_window,
)
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.batch import batch_of
from stn_perception.training.own_bag.config import WarpConfig
from stn_perception.training.own_bag.warps import random_warp
from stn_perception.training.strategies.unsupervised import Unsupervised
from stn_perception.training.strategies.unsupervised_config import UnsupervisedConfig
from stn_perception.training.strategies.unsupervised_losses import (
    VIEW_OF_BOX,
    equivariance_errors,
    framing_error,
    template_distances,
)


def warps(count: int, family: str, seed: int = 0) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(
        np.stack([random_warp(rng, WarpConfig(), family) for _ in range(count)])
    ).float()


def turned(angle: float, scale: float = 0.6) -> Tensor:
    c, s = math.cos(angle) * scale, math.sin(angle) * scale
    return torch.tensor([[[c, -s, 0.1], [s, c, -0.05], [0.0, 0.0, 1.0]]])


@pytest.mark.parametrize("family", ["similarity", "affine", "projective"])
def test_equivariance_is_zero_for_equivariant_predictions_alone(family: str) -> None:
    first, second = warps(40, family, 1), warps(40, family, 2)
    view = turned(0.7).expand(40, 3, 3)
    a, b = compose(invert(first), view), compose(invert(second), view)
    assert equivariance_errors(a, b, first, second).max() < 1e-4
    constant = equivariance_errors(view, view, first, second)
    assert constant.median() > 0.5
    # A network cannot get away with a small view, nor with a large one.
    for scale in (0.05, 3.0):
        other = turned(0.7, scale).expand(40, 3, 3)
        assert equivariance_errors(other, other, first, second).median() > 0.5


@pytest.mark.parametrize("family", ["similarity", "affine", "projective"])
def test_a_family_fits_its_own_transforms_exactly(family: str) -> None:
    theta = compose(warps(30, family), turned(0.3).expand(30, 3, 3))
    theta = theta / theta[:, 2:, 2:]
    assert torch.allclose(fitted_theta(corners_from_theta(theta), family), theta, atol=1e-4)


def test_the_fit_is_continuous_all_the_way_round() -> None:
    angles = torch.linspace(-math.pi, math.pi, 721)
    corners = torch.cat([corners_from_theta(turned(float(a))) for a in angles])
    theta = fitted_theta(corners, "similarity")
    assert (theta[1:] - theta[:-1]).abs().max() < 0.01
    assert torch.allclose(theta[0], theta[-1], atol=1e-4)


def test_correlation_is_blind_to_light_and_sees_turns() -> None:
    picture = torch.rand((4, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    window = round_window(picture)
    assert correlation(picture, 0.3 * picture + 0.5, window) == pytest.approx(1.0, abs=1e-4)
    assert correlation(picture, torch.rot90(picture, 1, (2, 3)), window).abs().max() < 0.3
    assert correlation(picture, 1 - picture, window) == pytest.approx(-1.0, abs=1e-4)


def test_the_template_distance_leads_back_from_a_small_turn() -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    crop = (torch.sin(5 * x) + torch.cos(4 * y + x) + (x > 0.2)).reshape(1, 1, 64, 64)
    network = ObjectNetwork(input_size=64, widths=(8, 8, 8, 8))
    template = network.view(crop, turned(0.0)).detach()
    for start in (-0.2, 0.2):
        angle = torch.tensor(start, requires_grad=True)
        c, s = torch.cos(angle) * 0.6, torch.sin(angle) * 0.6
        one, zero = torch.ones(()), torch.zeros(())
        rows = [c, -s, zero + 0.1, s, c, zero - 0.05, zero, zero, one]
        theta = torch.stack(rows).reshape(1, 3, 3)
        template_distances(network.view(crop, theta), template, (2.0, 0.8)).sum().backward()
        assert angle.grad is not None and angle.grad * start > 0


def test_framing_asks_for_the_box_on_the_average_alone() -> None:
    half = torch.full((2, 2), 0.6)

    def upright(*scales: float) -> Tensor:
        return torch.stack([torch.diag(torch.tensor([s, s, 1.0])) for s in scales])

    own = 0.6 * VIEW_OF_BOX
    assert framing_error(upright(own, own), half) == pytest.approx(0.0, abs=1e-6)
    assert framing_error(upright(own * 1.2, own / 1.2), half) == pytest.approx(0.0, abs=1e-6)
    assert framing_error(upright(own / 2, own / 2), half) > 0.4
    shifted = upright(own, own)
    shifted[:, 0, 2] = 0.2
    assert framing_error(shifted, half) == pytest.approx((0.2 / own) ** 2, abs=1e-5)


def test_the_classification_loss_reaches_the_transform_through_the_view_alone() -> None:
    torch.manual_seed(0)
    network = ObjectNetwork(input_size=32, widths=(8, 8, 8, 8), classes=2)
    only = UnsupervisedConfig(equivariance=0, template=0, framing=0, search=0, classes=1.0)
    identity = torch.eye(3).expand(8, 3, 3)
    extra = {
        "upright_from_crop": identity,
        "half_size": torch.full((8, 2), 0.6),
        "progress": torch.zeros(8),
    }
    batch = batch_of(torch.rand(8, 1, 32, 32), class_index=torch.arange(8) % 2, extra=extra)
    result = Unsupervised(only).step(network, batch)
    assert set(result.figures) == {"equivariance_error", "classes"}
    result.loss.backward()
    assert network.heads.weight.grad is not None
    assert network.heads.weight.grad.abs().max() > 0
    assert network.template.grad is None


def test_unknown_classes_take_no_part() -> None:
    network = ObjectNetwork(input_size=32, widths=(8, 8, 8, 8), classes=2)
    only = UnsupervisedConfig(equivariance=0, template=0, framing=0, search=0, classes=1.0)
    extra = {
        "upright_from_crop": torch.eye(3).expand(4, 3, 3),
        "half_size": torch.full((4, 2), 0.6),
        "progress": torch.zeros(4),
    }
    batch = batch_of(torch.rand(4, 1, 32, 32), extra=extra)
    loss = Unsupervised(only).step(network, batch).loss
    assert torch.isfinite(loss) and loss == 0
