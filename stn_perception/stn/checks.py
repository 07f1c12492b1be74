# SPDX-License-Identifier: Apache-2.0
"""What may be wrong with a predicted transform, in numbers: NaN, folded, escaped, collapsed.

A view that lies outside the source, or has shrunk to a point, has exactly zero gradient: training
never leaves such a state, and a result from it shows nothing. The families bound the parameters,
`prior_penalty` pulls a training run away from the edge, and `inspect_transform` reports what
happened, for a caller to refuse.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from stn_perception.stn.grid import SamplingGrid
from stn_perception.stn.spline import sampling_grid
from stn_perception.stn.transforms import at_least_float32, corners_from_theta


class TransformReport(NamedTuple):
    """One number per transform of a batch.

    Attributes:
        finite: N bool, every entry of theta is finite.
        in_front: N bool, w > 0 all over the view.
        valid_fraction: N, the share of the view that shows the source, 0 to 1.
        area_ratio: N, the view's area in areas of the source, negative where mirrored.
    """

    finite: Tensor
    in_front: Tensor
    valid_fraction: Tensor
    area_ratio: Tensor

    def usable(self, min_valid_fraction: float = 0.25, min_area_ratio: float = 1e-3) -> Tensor:
        """Return N bool: finite, unfolded, not mirrored, not collapsed and not escaped."""
        return (
            self.finite
            & self.in_front
            & (self.valid_fraction >= min_valid_fraction)
            & (self.area_ratio >= min_area_ratio)
        )


def finite_transforms(theta: Tensor) -> Tensor:
    """Return N bool: which transforms of a batch have only finite entries."""
    return torch.isfinite(theta).flatten(1).all(dim=1)


def check_finite(theta: Tensor) -> None:
    """Refuse a batch with a transform that is not finite.

    Reads the device; for training and eager use, not for an exported program.

    Raises:
        ValueError: names the first bad transform of the batch.
    """
    finite = finite_transforms(theta)
    if not bool(finite.all()):
        first = int((~finite).nonzero()[0, 0])
        raise ValueError(f"transform {first} of {theta.size(0)} is not finite")


def valid_mask(grid: SamplingGrid, source_height: int, source_width: int) -> Tensor:
    """Return N×h×w bool: which pixels of a view show the source (edges included), not padding."""
    x, y = grid.points[..., 0], grid.points[..., 1]
    inside_x = (x >= -0.5) & (x <= source_width - 0.5)
    inside_y = (y >= -0.5) & (y <= source_height - 0.5)
    return grid.in_front & inside_x & inside_y


def valid_fraction(grid: SamplingGrid, source_height: int, source_width: int) -> Tensor:
    """Return N: the share of each view that shows the source."""
    mask = valid_mask(grid, source_height, source_width).to(grid.points.dtype)
    return mask.mean(dim=[1, 2])


def inspect_transform(
    theta: Tensor, samples: int = 32, control_rows: int = 4, control_columns: int = 4
) -> TransformReport:
    """Return the report of a batch of transforms.

    Args:
        theta: source_from_view, N×2×3, N×3×3 or, for a spline, N×K×2; normalised axes.
        samples: points per side at which the view is looked at.
        control_rows: rows of the spline's control grid.
        control_columns: columns of the spline's control grid.
    """
    grid = sampling_grid(theta, samples, samples, samples, samples, control_rows, control_columns)
    # Equal sizes: the steps are in sides of the source per side of the view.
    determinant = (
        grid.step_x[..., 0] * grid.step_y[..., 1] - grid.step_x[..., 1] * grid.step_y[..., 0]
    )
    return TransformReport(
        finite_transforms(theta),
        grid.in_front.flatten(1).all(dim=1),
        valid_fraction(grid, samples, samples),
        determinant.mean(dim=[1, 2]),
    )


def prior_penalty(theta: Tensor, prior: Tensor | None = None) -> Tensor:
    """Return each transform's squared distance from a prior, for a training loss.

    The distance is that of the view's four corners (of the control points, for a spline), which
    weighs translation, rotation, scale and perspective in one unit.

    Args:
        theta: source_from_view, N×2×3, N×3×3 or N×K×2; normalised axes.
        prior: broadcastable to theta; the identity when None, which a spline cannot have.

    Returns:
        N, mean squared distance in half sides of the source.

    Raises:
        ValueError: a spline without a prior.
    """
    if theta.size(2) == 2:
        if prior is None:
            raise ValueError("a spline's prior must be given: the control points at rest")
        return (theta - prior).square().sum(dim=2).mean(dim=1)
    if prior is None:
        prior = torch.eye(3, dtype=theta.dtype, device=theta.device).unsqueeze(0)
    expected = corners_from_theta(prior)
    moved = corners_from_theta(theta) - expected
    return at_least_float32(moved).square().sum(dim=2).mean(dim=1)
