# SPDX-License-Identifier: Apache-2.0
import math

import torch

from stn_perception.stn.compose import compose, invert, scaled_about_center
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample
from stn_perception.stn.transforms import corners_from_theta


def turn(degrees: float) -> torch.Tensor:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[[cosine, -sine, 0], [sine, cosine, 0]]])


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * torch.log10((a - b).square().mean()))


def test_compose_is_the_matrix_product(random_theta, device):
    a, b = random_theta(4).to(device), random_theta(4).to(device)
    assert torch.allclose(compose(a, b), a @ b, atol=1e-14)


def test_affine_and_projective_compose(random_theta):
    a, b = random_theta(2)[:, :2], random_theta(2)
    lifted = torch.cat([a, torch.tensor([0.0, 0, 1]).expand(2, 1, 3)], dim=1)
    assert torch.allclose(compose(a, b), lifted @ b, atol=1e-14)


def test_inverse_undoes(random_theta):
    theta = random_theta(6)
    product = compose(theta, invert(theta))
    assert torch.allclose(product / product[:, 2:, 2:], torch.eye(3).double(), atol=1e-12)


def test_the_inverse_of_a_singular_transform_is_not_finite():
    assert not invert(torch.zeros(1, 2, 3)).isfinite().all()


def test_a_margin_shows_more_about_the_same_centre():
    theta = torch.tensor([[[0.5, 0.1, 0.2], [-0.1, 0.4, 0.1]]])
    larger, view = corners_from_theta(scaled_about_center(theta, 1.5)), corners_from_theta(theta)
    center = view.mean(dim=1, keepdim=True)
    assert torch.allclose(larger, center + 1.5 * (view - center))


def test_composition_in_half_precision_is_lifted():
    assert compose(torch.eye(3).half()[None], torch.eye(3).half()[None]).dtype == torch.float32


def test_trap_5_composing_keeps_what_resampling_destroys(rng):
    image = torch.rand(1, 1, 160, 160, generator=rng)
    image = torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1)
    chained, theta = image, torch.eye(3).unsqueeze(0)
    for _ in range(8):
        chained = sample(chained, homography_grid(turn(45), 160, 160, 160, 160))
        theta = compose(theta, turn(45))
    composed = sample(image, homography_grid(theta, 160, 160, 160, 160))
    middle = (..., slice(50, 110), slice(50, 110))
    assert psnr(chained[middle], image[middle]) < 30
    assert psnr(composed[middle], image[middle]) > 60
