# SPDX-License-Identifier: Apache-2.0
"""From theta on the padded square to the picture's own pixels, and the other way round."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.stn import sampling_grid
from stn_perception.studies.registration.levels import Square


def pixel_matrix(theta: Tensor, square: Square) -> NDArray[np.float64]:
    """source_from_view in the pictures' pixels, 3×3, of a theta N×2×3 with N = 1."""
    to_normal = _normal_from_pixels(square)
    rows = theta[0].detach().numpy().astype(np.float64)
    matrix: NDArray[np.float64] = (
        np.linalg.inv(to_normal) @ np.vstack([rows, [0.0, 0.0, 1.0]]) @ to_normal
    )
    return matrix


def theta_of_matrix(matrix: NDArray[np.float64], square: Square) -> Tensor:
    """The theta, 1×2×3 float64, of source_from_view in the pictures' pixels."""
    to_normal = _normal_from_pixels(square)
    return torch.from_numpy((to_normal @ matrix @ np.linalg.inv(to_normal))[None, :2])


def pixel_points(
    theta: Tensor, square: Square, control_grid: tuple[int, int]
) -> NDArray[np.float64]:
    """Where any theta looks for every pixel of the view, H×W×2 (x, y) in the source's pixels."""
    side = square.side
    grid = sampling_grid(theta.detach(), side, side, side, side, *control_grid)
    rows = slice(square.top, square.top + square.height)
    columns = slice(square.left, square.left + square.width)
    points: NDArray[np.float64] = grid.points[0, rows, columns].numpy().astype(np.float64)
    return points - [square.left, square.top]


def _normal_from_pixels(square: Square) -> NDArray[np.float64]:
    scale = 2.0 / square.side
    return np.array(
        [
            [scale, 0.0, scale * (square.left + 0.5) - 1.0],
            [0.0, scale, scale * (square.top + 0.5) - 1.0],
            [0.0, 0.0, 1.0],
        ]
    )
