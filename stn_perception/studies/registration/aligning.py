# SPDX-License-Identifier: Apache-2.0
"""Theta of one pair of pictures by Gauss-Newton steps through the transformer's own parts.

The loss is that of an unsupervised spatial transformer: the view, sampled from the source by the
package's grid and sampler, is compared with the other picture. Sum of squares lets the sampler's
derivative be used twice, once for the gradient and once for the curvature (Gauss-Newton; Lucas and
Kanade 1981), which needs ten steps where gradient descent needs hundreds.

Every affine and spline grid is linear in theta, so its derivative is computed once per level.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stn_perception.stn import TransformFamily
from stn_perception.studies.registration.align_settings import AlignSettings
from stn_perception.studies.registration.levels import Level
from stn_perception.studies.registration.linearising import (
    grid_basis,
    linearise,
    plate_energy,
    theta_by_raw,
)
from stn_perception.studies.registration.robust_loss import Huber, Tukey


@dataclass(frozen=True)
class Alignment:
    """What was found.

    Attributes:
        raw: The family's numbers, 1×P float64.
        theta: source_from_view, normalised axes.
        steps: Gauss-Newton steps over all levels.
        difference: Mean absolute residual that is left on the last level, grey levels.
    """

    raw: Tensor
    theta: Tensor
    steps: int
    difference: float


def align(
    levels: list[Level], family: TransformFamily, raw: Tensor, settings: AlignSettings
) -> Alignment:
    """Return the transform that makes the source look like the view, from coarse to fine.

    Args:
        levels: The pair at falling coarseness.
        family: What theta may be.
        raw: Where to start, 1×P; zeros are the identity.
        settings: How.
    """
    raw = raw.to(torch.float64)
    count, difference = 0, float("inf")
    for level in levels:
        raw, steps, difference = _align_level(level, family, raw, settings)
        count += steps
    return Alignment(raw, family(raw), count, difference)


def _align_level(
    level: Level, family: TransformFamily, raw: Tensor, settings: AlignSettings
) -> tuple[Tensor, int, float]:
    basis = grid_basis(level, family(raw), settings.control_grid)
    bending = settings.stiffness * _bending_energy(level, family, raw, settings)
    loss = Tukey(settings.tukey) if level.is_finest else Huber(settings.huber)
    # Coarse levels only bring the next one within reach.
    stop_px = settings.stop_px if level.is_finest else 0.1
    damping = 1e-6
    current = linearise(level, family, raw, basis, settings.mode)
    count = 0
    while count < settings.steps:
        count += 1
        penalty = bending * (current.scale**2 / len(current.residual))
        step = current.step(loss, penalty, raw, damping)
        tried = linearise(level, family, raw + step, basis, settings.mode)
        before = current.cost(loss, penalty, raw, current.scale)
        moved_px = float(step.abs().max()) * max(level.view.shape[-2:]) / 2
        if tried.cost(loss, penalty, raw + step, current.scale) < before:
            raw, current, damping = raw + step, tried, max(damping / 10, 1e-9)
        else:
            damping = max(damping, 1e-4) * 100
        if moved_px < stop_px:
            break
    return raw, count, float(current.residual.abs().mean())


def _bending_energy(
    level: Level, family: TransformFamily, raw: Tensor, settings: AlignSettings
) -> Tensor:
    """Quadratic form by raw of the thin plate's energy, P×P."""
    energy = plate_energy(level, family(raw), settings.control_grid)
    chain = theta_by_raw(family, torch.zeros_like(raw))
    half = len(chain) // 2
    of_x, of_y = (part.t() @ energy @ part for part in (chain[:half], chain[half:]))
    return of_x + of_y
