# SPDX-License-Identifier: Apache-2.0
"""Distorted digits are what their transforms say, always alike, and within the paper's ranges."""

import math

import pytest
import torch
from torch import Tensor

from stn_perception.stn import corners_from_theta, sample, sampling_grid
from stn_perception.studies.digits.distortion import KINDS, SIDE_PX, Kind, distort
from stn_perception.studies.errors import StudyError


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blobs(count: int, x_px: float = 13.5, y_px: float = 13.5, sigma_px: float = 2.0) -> Tensor:
    """Smooth round spots, so that resampling loses next to nothing."""
    axis = torch.arange(28.0)
    spot = torch.outer(
        torch.exp(-((axis - y_px) ** 2) / (2 * sigma_px**2)),
        torch.exp(-((axis - x_px) ** 2) / (2 * sigma_px**2)),
    )
    return (255 * spot).round().to(torch.uint8).expand(count, 28, 28).contiguous()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_what_the_packages_sampler_makes_of_its_transform(kind: Kind) -> None:
    images = blobs(20, x_px=18.0)
    made = distort(kind, images, seeded())
    side = SIDE_PX[kind]
    grid = sampling_grid(made.upright_from_source, side, side, 28, 28)
    expected = sample(images.unsqueeze(1).float() / 255, grid)
    assert made.images.shape == (20, 1, side, side)
    torch.testing.assert_close(made.images, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["R", "RTS"])
def test_the_true_theta_brings_the_digit_back(kind: Kind) -> None:
    images = blobs(50, x_px=17.0, y_px=11.0, sigma_px=4.0)
    made = distort(kind, images, seeded())
    assert made.source_from_upright is not None
    side = SIDE_PX[kind]
    upright = sample(made.images, sampling_grid(made.source_from_upright, 28, 28, side, side))
    error = (upright[:, 0] - images.float() / 255).abs().amax(dim=(1, 2))
    assert error.max() < 0.05


def test_a_true_angle_turns_from_x_towards_y() -> None:
    right_of_center = blobs(40, x_px=20.5)
    made = distort("R", right_of_center, seeded())
    assert made.angle_rad is not None
    axis = torch.arange(28.0) - 13.5
    weight = made.images[:, 0].sum(dim=(1, 2))
    x = (made.images[:, 0] * axis).sum(dim=(1, 2)) / weight
    y = (made.images[:, 0] * axis.unsqueeze(1)).sum(dim=(1, 2)) / weight
    torch.testing.assert_close(torch.atan2(y, x), made.angle_rad, atol=0.01, rtol=0)


def test_rotations_cover_the_half_turn_and_similarities_stay_in_the_picture() -> None:
    images = blobs(4000)
    turns = distort("R", images, seeded()).angle_rad
    assert turns is not None
    assert math.pi / 2 - 0.01 < turns.abs().max() < math.pi / 2
    made = distort("RTS", images, seeded())
    assert made.source_from_upright is not None
    assert made.angle_rad is not None
    scale = torch.linalg.det(made.source_from_upright[:, :2, :2]).sqrt() * 42 / 28
    assert 0.7 < scale.min() < 0.71 < 1.19 < scale.max() < 1.2
    assert made.angle_rad.abs().max() < math.pi / 4
    reach_px = made.source_from_upright[:, :2, 2].abs().amax(dim=1) * 21 + 14 * scale
    assert 20.9 < reach_px.max() < 21.001


def test_corners_of_a_projection_scatter_by_five_pixels_and_stay_convex() -> None:
    made = distort("P", blobs(4000), seeded())
    assert made.source_from_upright is not None
    corners_px = corners_from_theta(made.source_from_upright) * 14
    assert bool(torch.isfinite(corners_px).all())
    # Drawing folded ones again takes a little of the scatter; the scale adds some.
    assert 4.7 < float(corners_px.std(dim=0).mean()) < 5.3
    square_px = 14 * 0.875 * torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    assert (corners_px.mean(dim=0) - square_px).abs().max() < 1.0


def test_control_points_of_an_elastic_digit_scatter_by_one_and_a_half_pixels() -> None:
    made = distort("E", blobs(4000), seeded())
    assert made.source_from_upright is None
    assert made.angle_rad is None
    noise_px = (made.upright_from_source - made.upright_from_source.mean(dim=0)) * 14
    inner = noise_px[:, [5, 6, 9, 10]]
    # The digit shrinks by 0.875 on the whole, so that the noise of 1.5 px grows in its pixels.
    assert 1.5 / 0.875 < float(inner.std()) < 1.5 / 0.875 * 1.1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_pictures_and_another_seed_others(kind: Kind) -> None:
    images = blobs(5, x_px=17.0)
    first, again, other = (distort(kind, images, seeded(seed)).images for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_narrows_a_distortion_down_to_the_digit_itself(kind: Kind) -> None:
    images = blobs(200, x_px=17.0)
    upright = images.unsqueeze(1).float() / 255
    room = (SIDE_PX[kind] - 28) // 2
    moved = []
    for share in (0.0, 0.3, 1.0):
        made = distort(kind, images, seeded(), share).images
        middle = made[..., room : room + 28, room : room + 28]
        moved.append(float((middle - upright).square().mean()))
    assert moved[0] < 1e-9
    assert moved[0] < moved[1] < moved[2]


def test_other_pictures_and_other_kinds_are_refused() -> None:
    with pytest.raises(StudyError, match=r"torch.float32 of shape \[2, 28, 28\]"):
        distort("R", torch.zeros(2, 28, 28), seeded())
    with pytest.raises(StudyError, match="the distortion is 'X', expected one of R, RTS, P, E"):
        distort("X", blobs(2), seeded())  # type: ignore[arg-type]
