# SPDX-License-Identifier: Apache-2.0
"""Which weak labels are learned from, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class WeakConfig(BaseModel):
    """The labels of the strategy ``weak``.

    Attributes:
        labels: what is known: ``noisy`` corners, only the ``angle``, only the ``box``, or the
            ``pseudo`` truth of classical methods with its confidence.
        sigma: standard deviation of each noisy corner coordinate, as a share of the crop's half
            side; of the angle in radians; of the box's sides as a share of the half side.
        outlier_share: share of the labels that are grossly wrong.
        bias: constant error of every corner, x and y, as a share of the crop's half side.
        consistency: weight of the loss that two crops of one scene must agree.
        warp: size of the random warp between the two crops: standard deviation of its corners,
            as a share of the half side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Literal["noisy", "angle", "box", "pseudo"] = "noisy"
    sigma: float = Field(default=0.1, ge=0.0, le=1.0)
    outlier_share: float = Field(default=0.0, ge=0.0, le=0.5)
    bias: tuple[float, float] = (0.0, 0.0)
    consistency: float = Field(default=1.0, ge=0.0, le=100.0)
    warp: float = Field(default=0.15, ge=0.0, le=0.5)
