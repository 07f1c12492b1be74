# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from stn_perception.stn.grid import homography_grid
from stn_perception.stn.symmetric_gradient import normalized_points


def pixel_from_normalized(width: int, height: int) -> np.ndarray:
    return np.array(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]]
    )


def test_grid_agrees_with_opencv_in_pixels(random_theta):
    theta = random_theta(5)
    grid = homography_grid(theta, 13, 17, 480, 640)
    xs, ys = np.meshgrid(np.arange(17.0), np.arange(13.0))
    view = np.stack([xs, ys], axis=-1).reshape(-1, 1, 2)
    for index in range(5):
        source_from_view = (
            pixel_from_normalized(640, 480)
            @ theta[index].numpy()
            @ np.linalg.inv(pixel_from_normalized(17, 13))
        )
        expected = cv2.perspectiveTransform(view, source_from_view).reshape(13, 17, 2)
        np.testing.assert_allclose(grid.points[index].numpy(), expected, atol=1e-9)


def test_affine_theta_means_what_affine_grid_means(device, dtype, random_theta):
    theta = random_theta(4)[:, :2].to(device, dtype)
    ours = homography_grid(theta, 9, 11, 50, 60).points
    theirs = functional.affine_grid(theta, [4, 1, 9, 11], align_corners=False)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    assert (normalized_points(ours, 50, 60) - theirs).abs().max() < tolerance


def test_identity_grid_is_exactly_the_pixel_centres(device):
    for height, width in ((7, 5), (1, 1), (720, 1921)):
        theta = torch.eye(3, device=device).unsqueeze(0)
        points = homography_grid(theta, height, width, height, width).points
        assert torch.equal(points[0, 0, :, 0].cpu(), torch.arange(width).float())
        assert torch.equal(points[0, :, 0, 1].cpu(), torch.arange(height).float())


def test_steps_are_the_derivatives_of_the_points(random_theta):
    theta = random_theta(3)
    grid = homography_grid(theta, 9, 2001, 300, 400)
    differences = (grid.points[:, :, 2:] - grid.points[:, :, :-2]) / 2
    assert torch.allclose(grid.step_x[:, :, 1:-1], differences, atol=1e-6)
    grid = homography_grid(theta, 2001, 9, 300, 400)
    differences = (grid.points[:, 2:] - grid.points[:, :-2]) / 2
    assert torch.allclose(grid.step_y[:, 1:-1], differences, atol=1e-6)


def test_trap_8_float32_coordinates_hold_in_a_wide_frame(device, random_theta):
    theta = random_theta(8).float()
    exact = homography_grid(theta.double(), 224, 224, 2160, 3840).points
    ours = homography_grid(theta.to(device), 224, 224, 2160, 3840).points
    assert ours.dtype == torch.float32
    assert (ours.cpu().double() - exact).abs().max() < 2e-3


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_trap_8_half_precision_never_reaches_the_coordinates(device, half):
    theta = torch.eye(3, dtype=half, device=device).unsqueeze(0)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        points = homography_grid(theta, 4, 3840, 4, 3840).points
    assert points.dtype == torch.float32
    assert torch.equal(points[0, 0, :, 0].cpu(), torch.arange(3840).float())


def test_trap_9_points_from_behind_the_camera_are_masked(device):
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [1.5, 0, 1]]], device=device)
    grid = homography_grid(theta, 30, 40, 30, 40)
    x_n = (torch.arange(40, device=device) * 2 + 1) / 40 - 1
    assert torch.equal(grid.in_front[0, 0], 1.5 * x_n + 1 > 0)
    assert grid.points.isfinite().all()


def test_the_sign_and_scale_of_theta_change_nothing(random_theta):
    theta = random_theta(3)
    first, second = (homography_grid(t, 5, 6, 50, 60) for t in (theta, theta * -2.5))
    assert torch.allclose(first.points, second.points)
    assert second.in_front.all()


def test_an_empty_batch_gives_an_empty_grid(device):
    assert homography_grid(torch.zeros(0, 2, 3, device=device), 4, 5, 6, 7).points.shape == (
        0,
        4,
        5,
        2,
    )
