# SPDX-License-Identifier: Apache-2.0
"""Edges near a view's own: lines through columns, corners where lines meet, and their variances.

An edge is given in the frame turned so that it lies on top: how far outwards of the view's edge
it runs at the view's corners, where it starts and where it ends, clockwise, in half sides of the
view.
"""

from typing import Tuple  # noqa: UP035  (TorchScript reads this annotation)

import torch
from torch import Tensor

from stn_perception.stn.transforms import theta_from_corners


def projected(theta: Tensor, points: Tensor) -> Tensor:
    """Map points by homographies.

    Args:
        theta: N×3×3.
        points: N×K×2 or 1×K×2.

    Returns:
        N×K×2; a point behind the camera lands far outside.
    """
    x, y = points[:, :, 0].unsqueeze(1), points[:, :, 1].unsqueeze(1)
    rows = theta.unsqueeze(3)
    mapped = rows[:, :, 0] * x + rows[:, :, 1] * y + rows[:, :, 2]
    w = mapped[:, 2].clamp(min=0.02)
    return torch.stack([mapped[:, 0] / w, mapped[:, 1] / w], dim=2)


def fitted_line(along: Tensor, distance: Tensor, trust: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
    """Fit distance = a + b · along by weighted least squares.

    Args:
        along: K.
        distance: M×K.
        trust: M×K, sums to 1.

    Returns:
        the line at -1 and at 1, M×2; the weighted mean square of the residuals, M.
    """
    middle = (trust * along).sum(dim=1, keepdim=True)
    level = (trust * distance).sum(dim=1, keepdim=True)
    centred = along - middle
    slope = (trust * centred * (distance - level)).sum(dim=1, keepdim=True)
    # One trusted column alone says nothing of the slope: it is then drawn to zero.
    slope = slope / ((trust * centred.square()).sum(dim=1, keepdim=True) + 0.01)
    ends = torch.cat([level - slope * (1.0 + middle), level + slope * (1.0 - middle)], dim=1)
    residual = (trust * (distance - level - slope * centred).square()).sum(dim=1)
    return ends, residual


def corners_of_ends(ends: Tensor) -> Tensor:
    """Intersect neighbouring edges.

    Args:
        ends: N×4×2, how far outwards each edge (top, right, bottom, left) lies where it starts
            and where it ends, clockwise, in half sides of the view.

    Returns:
        N×4×2 corners in the view's normalised axes, top-left first.
    """
    # In the frame turned so that an edge is on top: it runs y = -1 - (m + s x), m and s from the
    # ends at x = -1 and x = 1; the next edge, at the right, runs x = 1 + (m' + s' y).
    middle = 0.5 * (ends[:, :, 0] + ends[:, :, 1])
    slope = 0.5 * (ends[:, :, 1] - ends[:, :, 0])
    next_middle = middle.roll(-1, dims=1)
    next_slope = slope.roll(-1, dims=1)
    # y = -1 - m - s x and x = 1 + m' + s' y, solved for x.
    x = (1.0 + next_middle - next_slope * (1.0 + middle)) / (1.0 + next_slope * slope)
    y = -1.0 - middle - slope * x
    # Edge i ends at corner i + 1 (top ends at top-right); turn each result back by i quarters.
    turned = [
        torch.stack([x[:, 0], y[:, 0]], dim=1),
        torch.stack([-y[:, 1], x[:, 1]], dim=1),
        torch.stack([-x[:, 2], -y[:, 2]], dim=1),
        torch.stack([y[:, 3], -x[:, 3]], dim=1),
    ]
    return torch.stack([turned[3], turned[0], turned[1], turned[2]], dim=1)


def ends_of_corners(corners: Tensor) -> Tensor:
    """Return where each edge of a quadrilateral near the view starts and ends.

    Args:
        corners: N×4×2 in the view's normalised axes, top-left first, clockwise.

    Returns:
        N×4×2 as ``corners_of_ends`` takes them.
    """
    ends = []
    starts, stops = corners, corners.roll(-1, dims=1)
    for edge in range(4):
        a, b = starts[:, edge], stops[:, edge]
        for _ in range(edge):
            a = torch.stack([a[:, 1], -a[:, 0]], dim=1)
            b = torch.stack([b[:, 1], -b[:, 0]], dim=1)
        slope = (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0]).clamp(min=0.2)
        at_start = a[:, 1] + slope * (-1.0 - a[:, 0])
        at_end = a[:, 1] + slope * (1.0 - a[:, 0])
        ends.append(torch.stack([-1.0 - at_start, -1.0 - at_end], dim=1))
    return torch.stack(ends, dim=1)


def in_crop_axes(
    corners: Tensor, view_corners: Tensor, log_variance: Tensor
) -> Tuple[Tensor, Tensor]:  # noqa: UP006
    """Take corners and the edges' uncertainty from the view's axes to the crop's.

    Args:
        corners: N×4×2, the view in normalised crop axes.
        view_corners: N×4×2 in the view's normalised axes.
        log_variance: N×4×2, of each edge's distance where it starts and where it ends.

    Returns:
        corners, N×4×2, and log-variance, N×4×2, in normalised crop axes.
    """
    theta = theta_from_corners(corners)
    found = projected(theta, view_corners)
    variance = log_variance.exp()
    starts, ends = variance[:, :, 0], variance[:, :, 1]
    # Corner i lies on edge i, which starts there, and on edge i - 1, which ends there. Top and
    # bottom edges fix the view's y, the others its x.
    before = ends.roll(1, dims=1)
    over_x = torch.stack([before[:, 0], starts[:, 1], before[:, 2], starts[:, 3]], dim=1)
    over_y = torch.stack([starts[:, 0], before[:, 1], starts[:, 2], before[:, 3]], dim=1)
    w = (theta[:, 2:3, :2] * view_corners).sum(dim=2) + theta[:, 2, 2:3]
    w = w.clamp(min=0.02).unsqueeze(2)
    # Derivatives of the crop's x and y by the view's, at each corner.
    by_x = (theta[:, :2, 0].unsqueeze(1) - found * theta[:, 2, 0].reshape(-1, 1, 1)) / w
    by_y = (theta[:, :2, 1].unsqueeze(1) - found * theta[:, 2, 1].reshape(-1, 1, 1)) / w
    spread = by_x.square() * over_x.unsqueeze(2) + by_y.square() * over_y.unsqueeze(2)
    return found, torch.log(spread + 1e-8)
