# SPDX-License-Identifier: Apache-2.0
"""Which weak labels are learned from, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LabelKind = Literal["noisy", "angle", "box", "pseudo"]


class WeakConfig(BaseModel):
    """The labels of the strategy ``weak``.

    Attributes:
        labels: what is known: ``noisy`` corners, only the ``angle``, only the ``box``, or the
            ``pseudo`` truth of classical methods with its confidence.
        sigma: standard deviation of each noisy corner coordinate and of each side of the box, as
            a share of half the object's mean side; of the angle, in radians.
        outlier_share: share of the labels that are grossly wrong.
        bias: constant error of every corner, x and y, as a share of half the object's mean side.
        consistency: weight of the loss that two crops of one scene agree.
        warp: perspective and shear of the two crops: standard deviation of each corner of the
            crop, in half sides of it. Their turn is always uniform.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: LabelKind = "noisy"
    sigma: float = Field(default=0.1, ge=0.0, le=1.0)
    outlier_share: float = Field(default=0.0, ge=0.0, le=0.5)
    bias: tuple[float, float] = (0.0, 0.0)
    consistency: float = Field(default=0.3, ge=0.0, le=100.0)
    warp: float = Field(default=0.06, ge=0.0, le=0.25)
