# SPDX-License-Identifier: Apache-2.0
import time

import pytest
import torch

from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample


def gradients(image, theta, theta_only, mode="bilinear", mip_levels=0):
    """Return (image gradient, theta gradient, seconds of the backward pass)."""
    image = image.detach().requires_grad_()
    theta = theta.detach().requires_grad_()
    height, width = image.shape[2:]
    grid = homography_grid(theta, 64, 64, height, width)
    loss = sample(image, grid, mode, mip_levels=mip_levels, theta_only=theta_only).square().sum()
    start = time.perf_counter()
    loss.backward()
    return image.grad, theta.grad, time.perf_counter() - start


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("mip_levels", [0, 3])
def test_trap_10_theta_alone_gets_the_full_gradient(mode, mip_levels, device, rng, random_theta):
    image = torch.rand(2, 3, 90, 120, generator=rng).to(device)
    theta = random_theta(2).float().to(device)
    no_image, alone, _ = gradients(image, theta, True, mode, mip_levels)
    with_image, full, _ = gradients(image, theta, False, mode, mip_levels)
    assert no_image is None
    assert with_image is not None and with_image.abs().sum() > 0
    assert torch.equal(alone, full)


def test_trap_10_the_backward_pass_does_not_pay_for_the_frame(rng, random_theta):
    image = torch.rand(1, 3, 2160, 3840, generator=rng)
    theta = random_theta(1).float()
    alone = min(gradients(image, theta, True)[2] for _ in range(3))
    full = min(gradients(image, theta, False)[2] for _ in range(3))
    assert alone < 0.5 * full


def test_trap_11_the_gradient_by_theta_is_repeatable_to_the_bit(device, rng, random_theta):
    # On CUDA this holds because it is gathered; the gradient by the image is not repeatable there.
    image = torch.rand(2, 3, 200, 300, generator=rng).to(device)
    theta = random_theta(2).float().to(device)
    torch.use_deterministic_algorithms(True)
    try:
        first, second = (gradients(image, theta, True)[1] for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert torch.equal(first, second)


def test_trap_11_the_gradient_by_the_image_agrees_to_a_tolerance(device, rng, random_theta):
    image = torch.rand(2, 3, 60, 80, generator=rng).to(device)
    theta = random_theta(2).float().to(device)
    first, second = (gradients(image, theta, False)[0] for _ in range(2))
    assert torch.allclose(first, second, rtol=1e-4, atol=1e-4)
