# SPDX-License-Identifier: Apache-2.0
"""Edges near a view's own: lines through columns, corners where lines meet, and their variances.

An edge is given in the frame turned so that it lies on top: how far outwards of the view's edge
it runs at the view's corners, where it starts and where it ends, clockwise, in half sides of the
view.
"""

from typing import Tuple  # noqa: UP035  (TorchScript reads this annotation)

import torch
from torch import Tensor


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
    point, turned = torch.stack([x, y], dim=2), torch.stack([-y, x], dim=2)
    return torch.stack([-turned[:, 3], point[:, 0], turned[:, 1], -point[:, 2]], dim=1)


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
    theta: Tensor, view_corners: Tensor, log_variance: Tensor
) -> Tuple[Tensor, Tensor]:  # noqa: UP006
    """Take corners and the edges' uncertainty from the view's axes to the crop's.

    Args:
        theta: N×3×3, view to crop in normalised axes.
        view_corners: N×4×2 in the view's normalised axes.
        log_variance: N×4×2, of each edge's distance where it starts and where it ends.

    Returns:
        corners, N×4×2, and log-variance, N×4×2, in normalised crop axes.
    """
    # Columns of theta at each corner: N×4×3.
    columns = theta.unsqueeze(1)
    mapped = (columns[:, :, :, :2] * view_corners.unsqueeze(2)).sum(dim=3) + columns[:, :, :, 2]
    w = mapped[:, :, 2:].clamp(min=0.02)
    found = mapped[:, :, :2] / w
    # Corner i lies on edge i - 1, which ends there, and on edge i, which starts there. Left and
    # right edges fix the view's x, the others its y.
    ends_starts = log_variance.exp().flatten(1).roll(1, dims=1).reshape(-1, 2, 2, 2)
    over_xy = torch.stack([ends_starts[:, :, 0], ends_starts[:, :, 1].flip(2)], dim=2)
    # Derivatives of the crop's x and y (N×4×2) by the view's x and y (last).
    slopes = (columns[:, :, :2, :2] - found.unsqueeze(3) * columns[:, :, 2:, :2]) / w.unsqueeze(3)
    spread = (slopes.square() * over_xy.reshape(-1, 4, 1, 2)).sum(dim=3)
    return found, torch.log(spread + 1e-8)
