# SPDX-License-Identifier: Apache-2.0
"""How a square is turned in its own plane, told apart from where it is seen."""

from typing import Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor

from stn_perception.stn.compose import compose
from stn_perception.stn.transforms import as_homography, corners_from_theta, theta_from_corners


def turned(theta: Tensor, angle_rad: Tensor) -> Tensor:
    """Return the transform of a view that is turned about its centre before.

    Args:
        theta: source_from_view, N×3×3.
        angle_rad: N, positive from the view's +x towards its +y.

    Returns:
        N×3×3: theta after a rotation of the view's axes.
    """
    cosine, sine = torch.cos(angle_rad), torch.sin(angle_rad)
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    rows = [
        torch.stack([cosine, -sine, zero], dim=1),
        torch.stack([sine, cosine, zero], dim=1),
        torch.stack([zero, zero, one], dim=1),
    ]
    return compose(theta, torch.stack(rows, dim=1))


def turn_of_theta(theta: Tensor) -> Tensor:
    """Return the turn of a view, N, radians in (-π, π].

    It is the angle of the rotation nearest to theta's derivative at the view's centre.

    Args:
        theta: source_from_view, N×3×3, not mirrored.
    """
    h = as_homography(theta) / theta[:, 2:, 2:]
    x, y, p, q = h[:, 0, 2], h[:, 1, 2], h[:, 2, 0], h[:, 2, 1]
    return torch.atan2(
        (h[:, 1, 0] - y * p) - (h[:, 0, 1] - x * q), (h[:, 0, 0] - x * p) + (h[:, 1, 1] - y * q)
    )


def unturned_corners(corners: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
    """Take the turn out of a square's corners.

    Args:
        corners: N×4×2, clockwise from the top-left of what they hold.

    Returns:
        Corners of the same plane's unturned square, N×4×2, and the turn, N, radians.
    """
    theta = theta_from_corners(corners)
    angle = turn_of_theta(theta)
    return corners_from_theta(turned(theta, -angle)), angle
