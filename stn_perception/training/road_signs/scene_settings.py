# SPDX-License-Identifier: Apache-2.0
"""Ranges that scenes with a sign are drawn from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SignSceneSettings(BaseModel):
    """What scenes look like.

    Attributes:
        min_side_px, max_side_px: the longer side of the artwork's bounding box in the frame
            (log-uniform).
        max_tilt_deg: largest angle between the sign's normal and the line of sight.
        unknown_share: share of scenes that show anything but one of the classes.
        box_jitter: standard deviation of each edge of the given box, as a share of its side.
        surroundings: the frame's size as a multiple of the artwork's bounding box.
        occluded_share: share of signs that are covered in part.
        severity: factor on noise and blur; 1 reaches what a cheap camera indoors gives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_side_px: float = Field(default=16.0, ge=8.0)
    max_side_px: float = Field(default=96.0, le=400.0)
    max_tilt_deg: float = Field(default=65.0, ge=0.0, le=75.0)
    unknown_share: float = Field(default=0.2, ge=0.0, le=1.0)
    box_jitter: float = Field(default=0.03, ge=0.0, le=0.2)
    surroundings: float = Field(default=2.4, ge=1.2, le=6.0)
    occluded_share: float = Field(default=0.12, ge=0.0, le=1.0)
    severity: float = Field(default=1.0, ge=0.0, le=3.0)

    @model_validator(mode="after")
    def _check_sides(self) -> SignSceneSettings:
        if self.min_side_px >= self.max_side_px:
            raise ValueError(
                f"min_side_px is {self.min_side_px}, expected less than max_side_px "
                f"({self.max_side_px})"
            )
        return self
