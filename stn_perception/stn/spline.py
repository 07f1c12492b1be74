# SPDX-License-Identifier: Apache-2.0
"""Thin-plate spline grids, and the one entry that takes any theta.

Bookstein 1989, "Principal Warps"; Jaderberg et al. 2015, section 3.2 and appendix: the spline of
least bending energy that takes a regular grid of control points in the view to the points that the
network gives. For training and studies: archives carry affine and projective transforms.
"""

import torch
from torch import Tensor

from stn_perception.stn.grid import SamplingGrid, centered_axis, homography_grid
from stn_perception.stn.transforms import at_least_float32


def spline_grid(
    control_points: Tensor,
    view_height: int,
    view_width: int,
    source_height: int,
    source_width: int,
    control_rows: int = 4,
    control_columns: int = 4,
) -> SamplingGrid:
    """Return the grid of a thin-plate spline (Bookstein 1989; Jaderberg et al. 2015, section 3.2).

    The control points of the view are a regular grid over [-1, 1]², row by row; the network gives
    where each lands in the source. Training and studies only: archives carry no splines.

    Args:
        control_points: N×K×2, (x, y) in normalised source axes, K = rows·columns.
        view_height: rows of the view.
        view_width: columns of the view.
        source_height: rows of the source.
        source_width: columns of the source.
        control_rows: >= 2.
        control_columns: >= 2.

    Raises:
        ValueError: a control grid smaller than 2×2, or another number of points.
    """
    if control_points.size(1) != control_rows * control_columns:
        raise ValueError(
            f"a {control_rows}×{control_columns} spline has {control_rows * control_columns} "
            f"control points, got {control_points.size(1)}"
        )
    device = control_points.device
    # Float64: the spline's system is ill-conditioned, and a float32 product may run in TF32.
    targets = control_points.to(torch.float64)
    controls = control_grid(control_rows, control_columns, device)
    x = centered_axis(view_width, torch.float64, device) * (2.0 / view_width)
    y = centered_axis(view_height, torch.float64, device) * (2.0 / view_height)
    at = torch.stack(
        [
            x.unsqueeze(0).expand(view_height, view_width),
            y.unsqueeze(1).expand(view_height, view_width),
        ],
        dim=2,
    ).reshape(view_height * view_width, 2)
    solve = _spline_solution(controls)
    basis, basis_x, basis_y = _spline_basis(at, controls)
    half = torch.tensor([source_width / 2, source_height / 2], dtype=torch.float64, device=device)
    shape = [control_points.size(0), view_height, view_width, 2]
    mapped = torch.matmul(basis @ solve, targets).reshape(shape) * half + (half - 0.5)
    step_x = torch.matmul(basis_x @ solve, targets).reshape(shape) * half * (2.0 / view_width)
    step_y = torch.matmul(basis_y @ solve, targets).reshape(shape) * half * (2.0 / view_height)
    dtype = at_least_float32(control_points).dtype
    in_front = torch.isfinite(mapped).all(dim=3)
    return SamplingGrid(mapped.to(dtype), step_x.to(dtype), step_y.to(dtype), in_front)


def control_grid(rows: int, columns: int, device: torch.device) -> Tensor:
    """Return the spline's control points in the view, K×2 float64, row by row over [-1, 1]².

    Raises:
        ValueError: fewer than two rows or columns.
    """
    if rows < 2 or columns < 2:
        raise ValueError(f"a control grid needs at least 2×2 points, got {rows}×{columns}")
    x = torch.linspace(-1.0, 1.0, columns, dtype=torch.float64, device=device)
    y = torch.linspace(-1.0, 1.0, rows, dtype=torch.float64, device=device)
    return torch.stack(
        [x.unsqueeze(0).expand(rows, columns), y.unsqueeze(1).expand(rows, columns)], dim=2
    ).reshape(rows * columns, 2)


def _radial(squared: Tensor) -> Tensor:
    """U(r) = r² log r², 0 at the centre."""
    return torch.xlogy(squared, squared)


def _squared_distances(at: Tensor, controls: Tensor) -> Tensor:
    """P×2 and K×2 points to P×K squared distances."""
    return (at.unsqueeze(1) - controls.unsqueeze(0)).square().sum(dim=2)


def _spline_solution(controls: Tensor) -> Tensor:
    """Return the (K+3)×K matrix from control targets to the spline's coefficients."""
    count = controls.size(0)
    affine = torch.cat([torch.ones_like(controls[:, :1]), controls], dim=1)
    top = torch.cat([_radial(_squared_distances(controls, controls)), affine], dim=1)
    bottom = torch.cat([affine.t(), torch.zeros_like(affine[:3])], dim=1)
    inverse: Tensor = torch.linalg.inv(torch.cat([top, bottom], dim=0))
    return inverse[:, :count]


def _spline_basis(at: Tensor, controls: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the P×(K+3) basis at points P×2 and its derivatives by x and by y."""
    squared = _squared_distances(at, controls)
    ones = torch.ones_like(at[:, :1])
    zeros = torch.zeros_like(ones)
    away = at.unsqueeze(1) - controls.unsqueeze(0)
    # dU/dx = 2 x (log r² + 1), which tends to 0 at the control point itself.
    slope = torch.where(squared > 0, 2.0 * (torch.log(squared.clamp_min(1e-300)) + 1.0), 0.0)
    return (
        torch.cat([_radial(squared), ones, at], dim=1),
        torch.cat([slope * away[:, :, 0], zeros, ones, zeros], dim=1),
        torch.cat([slope * away[:, :, 1], zeros, zeros, ones], dim=1),
    )


def sampling_grid(
    theta: Tensor,
    view_height: int,
    view_width: int,
    source_height: int,
    source_width: int,
    control_rows: int = 4,
    control_columns: int = 4,
) -> SamplingGrid:
    """Return the grid of any theta: N×2×3, N×3×3 or, for a thin-plate spline, N×K×2.

    Args:
        theta: source_from_view in normalised axes, or the K = rows·columns control points.
        view_height: rows of the view.
        view_width: columns of the view.
        source_height: rows of the source.
        source_width: columns of the source.
        control_rows: rows of the spline's control grid.
        control_columns: columns of the spline's control grid.

    Raises:
        ValueError: another shape.
    """
    if theta.dim() == 3 and theta.size(2) == 2:
        return spline_grid(
            theta,
            view_height,
            view_width,
            source_height,
            source_width,
            control_rows,
            control_columns,
        )
    return homography_grid(theta, view_height, view_width, source_height, source_width)
