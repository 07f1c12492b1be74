# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest
import torch
from torch.nn import functional

from stn_perception.stn.grid import homography_grid
from stn_perception.stn.pyramid import build_pyramid, footprint, level_weights
from stn_perception.stn.sampler import sample

SIDE = 480


def shrunk(image, factor_x, factor_y=None, mip_levels=4, taps=2):
    """Sample the whole image into a view `factor` times smaller."""
    factor_y = factor_y or factor_x
    height, width = image.shape[2:]
    theta = torch.eye(3).unsqueeze(0)
    grid = homography_grid(theta, round(height / factor_y), round(width / factor_x), height, width)
    return sample(image, grid, "bilinear", "border", mip_levels, taps)


@pytest.fixture
def noise(rng):
    return torch.randn(1, 1, SIDE, SIDE, generator=rng)


@pytest.mark.parametrize("factor", [2, 4, 8, 16])
def test_trap_2_white_noise_shrinks_as_an_area_filter_shrinks_it(noise, factor):
    area = functional.avg_pool2d(noise, factor)
    assert (shrunk(noise, factor) - area).square().mean().sqrt() < 1e-3 * area.std()


@pytest.mark.parametrize("factor", [3, 5, 6, 10, 12, 15])
def test_trap_2_between_the_levels_noise_stays_below_the_area_filters(noise, factor):
    area = functional.avg_pool2d(noise, factor).std()
    assert 0.5 * area < shrunk(noise, factor).std() < 1.1 * area
    assert shrunk(noise, factor, mip_levels=0).std() > 1.4 * area


def test_trap_2_bilinear_alone_aliases(noise):
    area = functional.avg_pool2d(noise, 8).std()
    assert shrunk(noise, 8, mip_levels=0).std() > 3.5 * area


def test_trap_2_every_pixel_gets_a_gradient(noise):
    for mip_levels, least, most in ((0, 0.0, 0.07), (4, 0.999, 1.0)):
        image = noise.clone().requires_grad_()
        shrunk(image, 8, mip_levels=mip_levels).square().sum().backward()
        share = (image.grad != 0).float().mean()
        assert least <= share <= most


@pytest.mark.parametrize("factor_x, factor_y", [(8, 1), (1, 8), (6, 2), (16, 4)])
def test_a_long_footprint_does_not_alias(noise, factor_x, factor_y):
    area = functional.avg_pool2d(noise, (factor_y, factor_x)).std()
    for taps in (1, 2, 4):
        assert shrunk(noise, factor_x, factor_y, taps=taps).std() < 1.1 * area


def test_more_taps_keep_more_detail_across_a_long_footprint():
    rows = torch.arange(SIDE).remainder(6).div(3, rounding_mode="floor").float() - 0.5
    stripes = rows.view(1, 1, SIDE, 1).expand(1, 1, SIDE, SIDE)
    contrast = [float(shrunk(stripes, 8, 1, taps=taps).std()) for taps in (1, 2, 4, 8)]
    assert contrast == sorted(contrast)
    assert contrast[3] > 0.95 * float(stripes.std()) > 2 * contrast[0]


def test_footprint_axes_are_the_singular_values(rng):
    step_x, step_y = torch.randn(2, 5, 4, 3, 2, generator=rng) * 4 + 2
    width, spacing = footprint(step_x, step_y, 3)
    jacobian = torch.stack([step_x, step_y], dim=4)
    left, sizes, _ = torch.linalg.svd(jacobian)
    expected = torch.maximum(sizes[..., 1], sizes[..., 0] / 3)
    assert torch.allclose(width, expected, rtol=1e-3, atol=1e-3)
    along = (spacing * left[..., 0]).sum(dim=3).abs()
    assert torch.allclose(along, spacing.norm(dim=3), rtol=1e-3, atol=1e-3)
    reach = 2 * spacing.norm(dim=3) + width.clamp_min(1.0)
    assert torch.allclose(reach, sizes[..., 0].clamp_min(1.0), rtol=1e-3, atol=1e-2)


def test_level_weights_sum_to_one_and_follow_the_width():
    width = torch.tensor([0.1, 1.0, 2.0, 2.0**1.5, 8.0, 100.0])
    weights = torch.stack(level_weights(width, 3))
    assert torch.allclose(weights.sum(dim=0), torch.ones(6))
    levels = (weights * torch.arange(4.0).view(4, 1)).sum(dim=0)
    assert torch.allclose(levels, torch.tensor([0.0, 0.0, 1.0, 1.5, 3.0, 3.0]))


@pytest.mark.parametrize("size", [(1, 1), (5, 8), (7, 1), (33, 17)])
def test_pyramid_levels_are_means_for_any_size(size, rng):
    image = torch.rand(2, 3, *size, generator=rng)
    levels = build_pyramid(image, 3)
    for below, above in itertools.pairwise(levels):
        expected = functional.avg_pool2d(below, 2, ceil_mode=True, count_include_pad=False)
        assert torch.allclose(above, expected)
