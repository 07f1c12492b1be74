# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.nn import functional

from stn_perception.stn.symmetric_gradient import SymmetricSampling, normalized_points

HEIGHT, WIDTH = 7, 9


def scattered_points(rng) -> torch.Tensor:
    """Points in and about the image, of which a third lies on kinks of one axis or of both."""
    size = torch.tensor([WIDTH, HEIGHT], dtype=torch.float64)
    points = torch.rand(2, 12, 12, 2, generator=rng, dtype=torch.float64) * (size + 3) - 2
    kinks = torch.rand(points.shape, generator=rng) < 0.2
    return torch.where(kinks, points.round(), points)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("axis", [0, 1])
def test_points_on_and_off_kinks_get_the_central_difference(mode, padding, axis, rng):
    image = torch.rand(2, 3, HEIGHT, WIDTH, generator=rng, dtype=torch.float64)
    weights = torch.randn(2, 3, 12, 12, generator=rng, dtype=torch.float64)
    points = scattered_points(rng)

    def losses(at):
        grid = normalized_points(at, HEIGHT, WIDTH)
        views = functional.grid_sample(
            image, grid, mode=mode, padding_mode=padding, align_corners=False
        )
        return (views * weights).sum(dim=1)

    step = torch.zeros(2, dtype=torch.float64)
    step[axis] = 1e-6
    expected = (losses(points + step) - losses(points - step)) / 2e-6
    moved = points.clone().requires_grad_()
    (SymmetricSampling.apply(image, moved, mode, padding) * weights).sum().backward()
    assert torch.allclose(moved.grad[..., axis], expected, atol=1e-6)


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_both_precisions_find_the_same_kinks(padding, rng):
    image = torch.rand(2, 1, HEIGHT, WIDTH, generator=rng, dtype=torch.float64)
    points = scattered_points(rng).float()
    gradients = []
    for dtype in (torch.float64, torch.float32):
        moved = points.to(dtype).requires_grad_()
        SymmetricSampling.apply(image.to(dtype), moved, "bilinear", padding).sum().backward()
        gradients.append(moved.grad.double())
    assert torch.allclose(*gradients, atol=1e-5)
