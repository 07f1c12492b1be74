# SPDX-License-Identifier: Apache-2.0
"""Residuals of a pair at one theta, and their derivative through the transformer's parts.

Every pixel of a view depends on its own point alone, so one backward pass through the sampler
gives the derivative of all of them by their points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stn_perception.stn import TransformFamily, sample, sampling_grid
from stn_perception.studies.registration.align_settings import AlignSettings
from stn_perception.studies.registration.levels import Level
from stn_perception.studies.registration.robust_loss import RobustLoss

# A pair without any difference still needs a scale to divide by, grey levels.
_LEAST_SCALE = 0.1
# What tells a slope from air and noise, grey levels per pixel.
_SLOPE = 5.0


@dataclass(frozen=True, eq=False)
class Linearised:
    """Of the pixels that both pictures show.

    Attributes:
        residual: N grey levels: view as seen, its gain and offset fitted, minus as wanted.
        jacobian: N×(P+2), by raw, gain and offset.
        scale: Robust standard deviation of the residuals.
    """

    residual: Tensor
    jacobian: Tensor
    scale: float

    def step(self, loss: RobustLoss, penalty: Tensor, raw: Tensor, damping: float) -> Tensor:
        """The damped Gauss-Newton step of raw, 1×P."""
        weight = loss.weight(self.residual / self.scale)
        weighted = self.jacobian * weight[:, None]
        hessian = weighted.t() @ self.jacobian
        gradient = weighted.t() @ self.residual
        count, pixels = raw.size(1), len(weight)
        hessian[:count, :count] += penalty * pixels
        gradient[:count] += pixels * (penalty @ raw[0])
        hessian += torch.diag(damping * hessian.diagonal() + 1e-9)
        step: Tensor = torch.linalg.solve(hessian, gradient)
        return -step[None, :count]

    def cost(self, loss: RobustLoss, penalty: Tensor, raw: Tensor, scale: float) -> float:
        """Mean loss at a given scale, with the penalty."""
        mean = scale**2 * loss.value(self.residual / scale).mean()
        return float(mean + 0.5 * raw[0] @ penalty @ raw[0])


def linearise(
    level: Level, family: TransformFamily, raw: Tensor, basis: Tensor, settings: AlignSettings
) -> Linearised:
    """Sample the view at a theta and differentiate it.

    Args:
        level: The pair.
        family: From raw to theta.
        raw: 1×P float64.
        basis: Of `grid_basis`.
        settings: Mode and control grid.
    """
    height, width = level.view.shape[-2:]
    grid = sampling_grid(family(raw), height, width, height, width, *settings.control_grid)
    points = grid.points.detach().requires_grad_()
    view = sample(level.source, grid._replace(points=points), settings.mode, "border")
    (slope,) = torch.autograd.grad(view.sum(), points)
    use = (level.inside(points.detach()) & level.view_mask).flatten()
    seen, wanted = view.detach().flatten()[use], level.view.flatten()[use]
    gain, offset = _gain_and_offset(seen, wanted)
    residual = gain * seen + offset - wanted
    slope_x, slope_y = (gain * slope[0].reshape(-1, 2)[use]).unbind(1)
    columns = basis[use]
    along_x, along_y = _theta_by_raw(family, raw)
    by_raw = slope_x[:, None] * (columns @ along_x) + slope_y[:, None] * (columns @ along_y)
    jacobian = torch.cat([by_raw, seen[:, None], torch.ones_like(seen)[:, None]], dim=1)
    return Linearised(residual, jacobian, _robust_scale(residual, slope_x, slope_y))


def grid_basis(level: Level, theta: Tensor, settings: AlignSettings) -> Tensor:
    """Return how a grid's points move with theta, (h·w)×K float64, alike for x and y.

    A column is one number of theta's: K is 3 for an affine row, or the number of control points.
    """
    height, width = level.view.shape[-2:]
    spline = theta.size(2) == 2
    count = theta.size(1) if spline else 3
    units = torch.zeros(count, *theta.shape[1:], dtype=torch.float64)
    for index in range(count):
        if spline:
            units[index, index, 0] = 1.0
        else:
            units[index, 0, index] = 1.0
    grid = sampling_grid(units, height, width, height, width, *settings.control_grid)
    return (grid.points[..., 0] - (width - 1) / 2).flatten(1).t().contiguous()


def _robust_scale(residual: Tensor, slope_x: Tensor, slope_y: Tensor) -> float:
    """Standard deviation by the median over pixels with a slope: air fits whatever theta is."""
    sloped = residual[torch.hypot(slope_x, slope_y) > _SLOPE]
    return float(1.4826 * sloped.abs().median()) + _LEAST_SCALE if len(sloped) else _LEAST_SCALE


def _theta_by_raw(family: TransformFamily, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Derivative of what x and y depend on, K×P each."""
    by_raw = torch.func.jacfwd(family)(raw)[0, :, :, 0, :]
    if by_raw.size(1) == 2:
        return by_raw[:, 0], by_raw[:, 1]
    return by_raw[0], by_raw[1]


def _gain_and_offset(seen: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Least squares of wanted ≈ gain · seen + offset."""
    centred = seen - seen.mean()
    gain = (centred * (wanted - wanted.mean())).mean() / centred.square().mean().clamp_min(1e-9)
    return gain, wanted.mean() - gain * seen.mean()
