# SPDX-License-Identifier: Apache-2.0
"""What of the task ``signs`` is configured."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stn_perception.training.road_signs.scene_settings import SignSceneSettings

_STRICT = ConfigDict(frozen=True, extra="forbid")


class SignCropSettings(BaseModel):
    """How crops are cut from scenes; the margins go onto the card.

    Attributes:
        box_margin: factor on the box.
        refinement_margin: factor on the view for refinement crops.
        refinement_share: share of the crops that follow a first estimate.
        coarse_share: share of these whose estimate is off by ``coarse_sigma``; the others' is a
            good one, off by ``fine_low`` to ``fine_high``.
        coarse_sigma: deviation of each corner, and of all corners together, in half sides
            (Lin & Lucey 2017 use 0.25).
        fine_low, fine_high: bounds of a good estimate's error (log-uniform), in half sides.
        turned_share: share of estimates that are turned by any angle.
        found_share: share of the crops that follow what an earlier network found in a crop of a
            box or of a coarse estimate; the other shares are of the others. Such an estimate's
            errors keep what a picture does not tell, as the tilt of a round sign.
        found_by: checkpoint of that network, a ``reader``; needed by ``found_share``.
    """

    model_config = _STRICT

    box_margin: float = Field(default=1.4, ge=1.0, le=3.0)
    refinement_margin: float = Field(default=1.4, ge=1.0, le=3.0)
    refinement_share: float = Field(default=0.55, ge=0.0, le=1.0)
    coarse_share: float = Field(default=0.45, ge=0.0, le=1.0)
    coarse_sigma: float = Field(default=0.25, ge=0.0, le=0.5)
    fine_low: float = Field(default=0.015, gt=0.0, le=0.5)
    fine_high: float = Field(default=0.15, gt=0.0, le=0.5)
    turned_share: float = Field(default=0.15, ge=0.0, le=1.0)
    found_share: float = Field(default=0.0, ge=0.0, le=1.0)
    found_by: Path | None = None

    @model_validator(mode="after")
    def _check_found(self) -> SignCropSettings:
        if self.found_share > 0 and self.found_by is None:
            raise ValueError(
                f"found_share is {self.found_share} without found_by, expected the checkpoint of "
                "the network that finds the estimates"
            )
        return self


class SignsConfig(BaseModel):
    """Scenes, crops and network of road and door signs.

    Attributes:
        network: ``reader`` finds, turns and reads; ``plain`` is the same kind of classifier
            without the transformer, to compare with.
        count: how many scenes are drawn before training.
        workers: processes that draw them.
        scenes: what they look like.
        crops: how crops are cut from them.
        view_size, view_margin: of the view that the reader reads.
        held_out_count: scenes that training is watched by.
    """

    model_config = _STRICT

    network: Literal["reader", "plain"] = "reader"
    count: int = Field(default=24_000, ge=1, le=5_000_000)
    workers: int = Field(default=1, ge=1, le=256)
    scenes: SignSceneSettings = SignSceneSettings()
    crops: SignCropSettings = SignCropSettings()
    view_size: int = Field(default=48, ge=16, le=128, multiple_of=8)
    view_margin: float = Field(default=1.3, ge=1.0, le=2.0)
    held_out_count: int = Field(default=512, ge=2, le=100_000)
