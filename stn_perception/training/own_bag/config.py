# SPDX-License-Identifier: Apache-2.0
"""What is cut from a recording to train on, and how it is warped."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(frozen=True, extra="forbid")

FULL_FRAME = "full_frame"


class WarpConfig(BaseModel):
    """The known warps of a crop; every turn from 0° to 360° is always among them.

    Attributes:
        scale: largest change of scale, as a factor.
        shift: largest shift along each axis, in half sides of the crop.
        shear: largest shear and stretch; similarity leaves it out.
        perspective: largest change of depth over the crop's half side; projective alone uses it.
        contrast: largest change of contrast and gamma, as a factor.
        brightness: largest change of brightness, 1 being white.
        noise: largest standard deviation of noise, 1 being white.
        blur: largest standard deviation of blur in pixels of the crop.
        cover: share of crops of which a part is covered.
        surroundings: share of crops whose surroundings outside the box are exchanged for others
            of the recording, so that nothing is learned from what the object lies on.
    """

    model_config = _STRICT

    scale: float = Field(default=1.2, ge=1.0, le=2.0)
    shift: float = Field(default=0.12, ge=0.0, le=0.5)
    shear: float = Field(default=0.15, ge=0.0, le=0.5)
    perspective: float = Field(default=0.15, ge=0.0, lt=0.5)
    contrast: float = Field(default=1.5, ge=1.0, le=4.0)
    brightness: float = Field(default=0.15, ge=0.0, le=0.5)
    noise: float = Field(default=0.03, ge=0.0, le=0.3)
    blur: float = Field(default=0.8, ge=0.0, le=4.0)
    cover: float = Field(default=0.2, ge=0.0, le=1.0)
    surroundings: float = Field(default=0.5, ge=0.0, le=1.0)


class BagConfig(BaseModel):
    """A recording and what is cut from it.

    Attributes:
        path: bag (folder, ``.mcap`` or ``.db3``), or a folder of pictures with one folder a class.
        topic: image topic, raw or compressed; empty where the bag has one alone.
        detections: topic of ``Detection2DArray`` with the boxes; empty takes the bag's only one,
            and the whole frame where it has none; ``full_frame`` takes the whole frame.
        only: detections with this id or class alone; empty takes all.
        slop_s: largest difference between the stamps of a frame and its boxes.
        max_crops: more are thinned evenly over the recording.
        held_out_every: every so many crops, one is kept from training.
        box_margin: factor on the box's longer side; goes onto the card.
        context: how much more is kept around a crop, so that it can be turned and shifted.
        family: of the transforms.
        class_names: classes that the view is told apart into, where that loss is used; each has
            a template of its own.
    """

    model_config = _STRICT

    path: Path
    topic: str = ""
    detections: str = ""
    only: str = ""
    slop_s: float = Field(default=0.02, ge=0.0, le=1.0)
    max_crops: int = Field(default=2000, ge=8, le=100_000)
    held_out_every: int = Field(default=5, ge=2)
    box_margin: float = Field(default=1.5, ge=1.0, le=3.0)
    context: float = Field(default=1.7, ge=1.0, le=3.0)
    family: Literal["similarity", "affine", "projective"] = "similarity"
    class_names: tuple[str, ...] = ()
    warps: WarpConfig = WarpConfig()
