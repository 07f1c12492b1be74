# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from stn_perception.stn.checks import (
    check_finite,
    finite_transforms,
    inspect_transform,
    prior_penalty,
    valid_fraction,
)
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample


def affine(scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> torch.Tensor:
    return torch.tensor([[scale, 0, x], [0, scale, y]])


def test_trap_7_finiteness_is_checked_before_warping(device):
    theta = torch.stack([affine(), affine(), affine()]).to(device)
    check_finite(theta)
    theta[1, 0, 2] = float("nan")
    theta[2, 1, 1] = float("inf")
    assert finite_transforms(theta).tolist() == [True, False, False]
    with pytest.raises(ValueError, match="transform 1 of 3 is not finite"):
        check_finite(theta)


def test_valid_fraction_is_the_share_that_shows_the_source(device):
    theta = torch.stack([affine(), affine(x=1.0), affine(2.0), affine(x=5.0)]).to(device)
    shares = valid_fraction(homography_grid(theta, 40, 40, 60, 80), 60, 80)
    assert torch.allclose(shares.cpu(), torch.tensor([1.0, 0.5, 0.25, 0.0]))


def test_trap_6_collapse_and_escape_have_no_gradient_and_are_reported(rng):
    image = torch.rand(1, 1, 32, 32, generator=rng)
    escaped, collapsed = affine(x=5.0)[None], affine(0.0)[None]
    for theta, moving in ((escaped, (0, 2)), (collapsed, (0, 0))):
        theta = theta.clone().requires_grad_()
        # A constant view is the goal of a collapsed one: every pixel equals every other already.
        views = sample(image, homography_grid(theta, 16, 16, 32, 32))
        (views - views.mean()).square().sum().backward()
        assert theta.grad[(0, *moving)].abs() < 1e-6
    report = inspect_transform(torch.cat([affine()[None], escaped, collapsed]))
    assert report.valid_fraction.tolist() == [1.0, 0.0, 1.0]
    assert report.area_ratio.tolist() == pytest.approx([1.0, 1.0, 0.0], abs=1e-6)
    assert report.usable().tolist() == [True, False, False]


def test_reports_name_what_is_wrong():
    mirrored = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    folded = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1.5, 0, 1]])
    broken = torch.full((3, 3), float("nan"))
    report = inspect_transform(torch.stack([torch.eye(3), mirrored, folded, broken]))
    assert report.finite.tolist() == [True, True, True, False]
    assert report.in_front.tolist() == [True, True, False, False]
    assert report.area_ratio[1] < 0
    assert report.usable().tolist() == [True, False, False, False]


def test_trap_6_the_penalty_brings_an_escaped_view_back():
    theta = affine(0.2, x=3.0)[None].clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        prior_penalty(theta).sum().backward()
        optimizer.step()
    assert torch.allclose(theta.detach(), affine()[None], atol=1e-3)


def test_the_penalty_is_the_corners_mean_squared_distance(random_theta):
    theta = torch.stack([affine(), affine(x=0.3, y=0.4), affine(2.0)])
    assert torch.allclose(prior_penalty(theta), torch.tensor([0.0, 0.25, 2.0]))
    assert torch.allclose(prior_penalty(theta, theta), torch.zeros(3))
    assert (prior_penalty(random_theta(4)) > 0).all()


def test_a_spline_has_a_prior_of_its_own():
    controls = torch.zeros(2, 16, 2)
    assert prior_penalty(controls + 0.1, controls).tolist() == pytest.approx([0.02, 0.02])
    with pytest.raises(ValueError, match="prior"):
        prior_penalty(controls)
