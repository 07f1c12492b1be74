# SPDX-License-Identifier: Apache-2.0
"""How one pair of pictures is aligned."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AlignSettings:
    """How one pair is aligned.

    Attributes:
        steps: At most so many on each level.
        stop_px: A level ends when a step moves nothing by more, in pixels of the finest.
        mode: Of the sampler: bilinear or bicubic.
        huber: Residuals above so many robust standard deviations count linearly.
        tukey: Residuals above so many do not count at all, on the finest level, where what is
            still far off is no misalignment but another content.
        stiffness: Weight of a spline's bending energy against the squares of the residuals, both
            in their variance; the other families do not bend.
        control_grid: Rows and columns of a spline.
    """

    steps: int = 30
    stop_px: float = 1e-3
    mode: str = "bicubic"
    huber: float = 2.5
    tukey: float = 8.0
    stiffness: float = 0.0
    control_grid: tuple[int, int] = (4, 4)
