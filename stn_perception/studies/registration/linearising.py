# SPDX-License-Identifier: Apache-2.0
"""Residuals of a pair at one theta, and their derivative through the transformer's parts.

Every pixel of a view depends on its own point alone, so one backward pass through the sampler
gives the derivative of all of them by their points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from stn_perception.stn import SamplingGrid, TransformFamily, sample, sampling_grid
from stn_perception.studies.registration.levels import Level
from stn_perception.studies.registration.robust_loss import RobustLoss

# A pair without any difference still needs a scale to divide by, grey levels.
_LEAST_SCALE = 0.1
# What tells a slope from air and noise, grey levels per pixel.
_SLOPE = 5.0


@dataclass(frozen=True, eq=False)
class Linearised:
    """Of the N pixels that both pictures show.

    Attributes:
        residual: N grey levels: view as seen, its gain and offset fitted, minus as wanted.
        seen: N grey levels of the view.
        slope: N×2, of the residual by the point's x and y.
        basis: N×K, of the points by theta, in single precision: most of the time goes into it.
        theta_by_raw: 2K×P, x's numbers before y's.
        scale: Robust standard deviation of the residuals.
    """

    residual: Tensor
    seen: Tensor
    slope: Tensor
    basis: Tensor
    theta_by_raw: Tensor
    scale: float

    def step(self, loss: RobustLoss, penalty: Tensor, raw: Tensor, damping: float) -> Tensor:
        """The damped Gauss-Newton step of raw, 1×P; gain and offset step along."""
        weight = loss.weight(self.residual / self.scale)
        chain = _with_gain_and_offset(self.theta_by_raw)
        curvature, slope = self._normal_equations(weight)
        hessian = chain.t() @ curvature @ chain
        gradient = chain.t() @ slope
        count, pixels = raw.size(1), len(weight)
        hessian[:count, :count] += penalty * pixels
        gradient[:count] += pixels * (penalty @ raw[0])
        hessian += torch.diag(damping * hessian.diagonal() + 1e-9)
        step: Tensor = torch.linalg.solve(hessian, gradient)
        return -step[None, :count]

    def _normal_equations(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted curvature and slope of the squares by theta's x, its y, gain and offset.

        x and y share their basis, which halves the work of multiplying the Jacobian by itself.
        """
        x, y = self.slope.float().t()
        basis, weight = self.basis, weight.float()
        others = torch.stack([self.seen, torch.ones_like(self.seen)], dim=1).float()

        def product(left: Tensor, factor: Tensor, right: Tensor) -> Tensor:
            return (left.t() @ (right * (weight * factor)[:, None])).double()

        xx, xy, yy = (product(basis, by, basis) for by in (x * x, x * y, y * y))
        xo, yo = product(basis, x, others), product(basis, y, others)
        oo = product(others, torch.ones_like(x), others)
        rows = [[xx, xy, xo], [xy, yy, yo], [xo.t(), yo.t(), oo]]
        residual = self.residual[:, None].float()
        slope = [product(residual, x, basis), product(residual, y, basis)]
        slope.append(product(residual, torch.ones_like(x), others))
        return torch.cat([torch.cat(row, dim=1) for row in rows]), torch.cat(slope, dim=1)[0]

    def cost(self, loss: RobustLoss, penalty: Tensor, raw: Tensor, scale: float) -> float:
        """Mean loss at a given scale, with the penalty."""
        mean = scale**2 * loss.value(self.residual / scale).mean()
        return float(mean + 0.5 * raw[0] @ penalty @ raw[0])


def linearise(
    level: Level, family: TransformFamily, raw: Tensor, basis: Tensor, mode: str
) -> Linearised:
    """Sample the view at a theta and differentiate it.

    Args:
        level: The pair.
        family: From raw to theta.
        raw: 1×P float64.
        basis: Of `grid_basis`; the grid is linear in theta, so it gives the points as well.
        mode: Of the sampler.
    """
    side = level.view.size(3)
    numbers = _x_and_y(family(raw))
    points = (basis @ numbers.t() + (side - 1) / 2).reshape(1, side, side, 2).requires_grad_()
    steps = torch.zeros_like(points)
    in_front = torch.ones(1, side, side, dtype=torch.bool)
    view = sample(level.source, SamplingGrid(points, steps, steps, in_front), mode, "border")
    (slope,) = torch.autograd.grad(view.sum(), points)
    use = (level.inside(points.detach()) & level.view_mask).flatten()
    seen, wanted = view.detach().flatten()[use], level.view.flatten()[use]
    gain, offset = _gain_and_offset(seen, wanted)
    residual = gain * seen + offset - wanted
    slope = gain * slope.reshape(-1, 2)[use]
    scale = _robust_scale(residual, slope)
    return Linearised(residual, seen, slope, basis[use].float(), theta_by_raw(family, raw), scale)


def theta_by_raw(family: TransformFamily, raw: Tensor) -> Tensor:
    """Return the derivative of theta's numbers, x's before y's, by raw: 2K×P."""
    jacobian: Tensor = torch.func.jacfwd(lambda at: _x_and_y(family(at)).flatten())(raw)
    return jacobian[:, 0]


def grid_basis(level: Level, theta: Tensor, control_grid: tuple[int, int]) -> Tensor:
    """Return how a grid's points move with theta, (s·s)×K float64, alike for x and y.

    A column is one number of theta's: K is 3 for an affine row, or the number of control points.

    Args:
        level: Whose size the grid has.
        theta: Any of the family.
        control_grid: Rows and columns of a spline.
    """
    return _basis(level.view.size(3), *_numbers(theta), control_grid)


def plate_energy(level: Level, theta: Tensor, control_grid: tuple[int, int]) -> Tensor:
    """Return the bending energy of a grid's x, or of its y, as a quadratic form of theta, K×K.

    That of a thin plate over the square: the sum of squares of the points' second differences
    (Bookstein 1989, with the integral as a sum over pixels). It does not depend on the level's
    size, and is 0 for affine transforms.

    Args:
        level: Whose size the grid has.
        theta: Any of the family.
        control_grid: Rows and columns of a spline.
    """
    return _plate_energy(level.view.size(3), *_numbers(theta), control_grid)


def _numbers(theta: Tensor) -> tuple[int, bool]:
    """K, and whether theta is a spline's."""
    spline = theta.size(2) == 2
    return theta.size(1) if spline else 3, spline


@lru_cache(maxsize=8)
def _plate_energy(side: int, count: int, spline: bool, control_grid: tuple[int, int]) -> Tensor:
    grid = _basis(side, count, spline, control_grid).reshape(side, side, -1)
    bends = [(grid.diff(n=2, dim=0), 1.0), (grid.diff(n=2, dim=1), 1.0)]
    bends.append((grid.diff(dim=0).diff(dim=1), 2.0))
    energy = torch.zeros(count, count, dtype=grid.dtype)
    for bend, weight in bends:
        flat = bend.flatten(0, 1)
        energy += weight * flat.t() @ flat
    return energy


@lru_cache(maxsize=8)
def _basis(side: int, count: int, spline: bool, control_grid: tuple[int, int]) -> Tensor:
    """The basis is the same for every pair of a size: it is made once, as it is large."""
    units = torch.zeros(count, count if spline else 2, 2 if spline else 3, dtype=torch.float64)
    for index in range(count):
        units[(index, index, 0) if spline else (index, 0, index)] = 1.0
    grid = sampling_grid(units, side, side, side, side, *control_grid)
    return (grid.points[..., 0] - (side - 1) / 2).flatten(1).t().contiguous()


def _with_gain_and_offset(theta_by_raw: Tensor) -> Tensor:
    """The chain from theta's numbers to raw, (2K+2)×(P+2): gain and offset stay themselves."""
    numbers, count = theta_by_raw.shape
    chain = torch.zeros(numbers + 2, count + 2, dtype=theta_by_raw.dtype)
    chain[:numbers, :count] = theta_by_raw
    chain[numbers, count] = chain[numbers + 1, count + 1] = 1.0
    return chain


def _x_and_y(theta: Tensor) -> Tensor:
    """The numbers that x and y depend on, 2×K: a theta's rows, or its points' columns."""
    return theta[0].t() if theta.size(2) == 2 else theta[0, :2]


def _robust_scale(residual: Tensor, slope: Tensor) -> float:
    """Standard deviation by the median over pixels with a slope: air fits whatever theta is."""
    sloped = residual[torch.hypot(slope[:, 0], slope[:, 1]) > _SLOPE]
    return float(1.4826 * sloped.abs().median()) + _LEAST_SCALE if len(sloped) else _LEAST_SCALE


def _gain_and_offset(seen: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Least squares of wanted ≈ gain · seen + offset."""
    centred = seen - seen.mean()
    gain = (centred * (wanted - wanted.mean())).mean() / centred.square().mean().clamp_min(1e-9)
    return gain, wanted.mean() - gain * seen.mean()
