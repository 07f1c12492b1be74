# SPDX-License-Identifier: Apache-2.0
"""Views as the tutorials of torch and kornia take them: of float tensors, through a whole grid."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.geometry.pixels import (
    normalized_from_pixel,
    pixel_from_normalized,
    view_corners,
)

Tensor = torch.Tensor


def planes_of(frames: NDArray[np.uint8]) -> Tensor:
    """float32 N×C×H×W in [0, 1] of uint8 N×H×W×C."""
    return torch.from_numpy(frames).permute(0, 3, 1, 2).to(torch.float32).div_(255)


def pixels_of(views: Tensor) -> NDArray[np.uint8]:
    """uint8 N×H×W×C of float planes, rounded."""
    levels = views.mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    pixels: NDArray[np.uint8] = levels.permute(0, 2, 3, 1).contiguous().numpy()
    return pixels


def theta_of(
    frame_from_view: NDArray[np.float64], frame_size: tuple[int, int], size: int
) -> Tensor:
    """N×2×3 in normalised axes, ``align_corners=False``, of affine transforms in pixels."""
    theta = (
        normalized_from_pixel(*frame_size) @ frame_from_view @ pixel_from_normalized(size, size)
    )
    return torch.from_numpy(theta[:, :2]).to(torch.float32)


def torch_views(planes: Tensor, theta: Tensor, size: int) -> Tensor:
    """``affine_grid`` and ``grid_sample``; one frame is shared by all views without a copy."""
    views = len(theta)
    shared = planes.expand(views, -1, -1, -1)
    grid = torch.nn.functional.affine_grid(
        theta, [views, planes.shape[1], size, size], align_corners=False
    )
    return torch.nn.functional.grid_sample(
        shared, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )


def kornia_views(planes: Tensor, view_from_frame: Tensor, size: int) -> Tensor:
    """``warp_perspective`` with the transform in pixels."""
    from kornia.geometry.transform import warp_perspective

    shared = planes.expand(len(view_from_frame), -1, -1, -1)
    warped: Tensor = warp_perspective(shared, view_from_frame, (size, size), align_corners=True)
    return warped


def kornia_crops(planes: Tensor, corners: Tensor, size: int) -> Tensor:
    """``crop_and_resize`` of quadrilaterals, N×4×2 pixels of the frame."""
    from kornia.geometry.transform import crop_and_resize

    shared = planes.expand(len(corners), -1, -1, -1)
    warped: Tensor = crop_and_resize(shared, corners, (size, size), align_corners=True)
    return warped


def pixel_centers_of_corners(frame_from_view: NDArray[np.float64], size: int) -> Tensor:
    """N×4×2: where the centres of the view's corner pixels lie in the frame."""
    middle = (size - 1) / 2
    centers = (view_corners(size, size) - middle) * ((size - 1) / size) + middle
    points = np.column_stack([centers, np.ones(4)]) @ frame_from_view.transpose(0, 2, 1)
    return torch.from_numpy(points[..., :2] / points[..., 2:]).to(torch.float32)
