# SPDX-License-Identifier: Apache-2.0
"""What the node itself may be told, grouped; the pipeline's own knobs are in runtime.settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from stn_perception.runtime.model_card import (
    CropShape,
    FiniteFloat,
    ModelCard,
    PositiveFloat,
    TransformFamily,
)
from stn_perception.runtime.parameters.fixed_regions import FixedRegion, parse_fixed_regions

FROZEN = ConfigDict(frozen=True, extra="forbid")
READ_ONLY: Mapping[str, Any] = {"read_only": True}
_CAMERA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*")


def _fixed(default: Any, description: str, **limits: Any) -> Any:
    """Field that keeps the value it had when the node started."""
    return Field(default, description=description, json_schema_extra=dict(READ_ONLY), **limits)


class ModelSettings(BaseModel):
    """Which network runs where. Takes effect at configure and at ~/reload_model."""

    model_config = FROZEN

    model: str = Field(
        default="planar", min_length=1, description="Shipped model's name or path of an archive."
    )
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto (CUDA if there is one), cpu, cuda or cuda:N.",
    )
    num_threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="CPU threads for network and sampling; 0: all cores but one.",
    )
    warm_up_batches: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        min_length=1,
        default=(1, 2, 4, 8),
        description="Batch sizes (boxes of all cameras) run before the node is ready.",
    )
    pad_batches: bool = Field(
        default=False,
        description="Pad every batch to the next size of warm_up_batches (constant shapes for "
        "GPUs; results may differ by 1e-5).",
    )
    model_input_width: int = Field(
        default=0,
        ge=0,
        le=8192,
        description="For a file without a card: its input width; 0: not given.",
    )
    model_input_height: int = Field(
        default=0,
        ge=0,
        le=8192,
        description="For a file without a card: its input height; 0: not given.",
    )
    model_channels: Literal[1, 3] = Field(
        default=3, description="For a file without a card: 1 (gray) or 3 (RGB)."
    )
    model_mean: tuple[FiniteFloat, ...] = Field(
        default=(0.0,), description="For a file without a card: subtracted from crops in [0, 1]."
    )
    model_std: tuple[PositiveFloat, ...] = Field(
        default=(1.0,), description="For a file without a card: divides what is left."
    )
    model_family: TransformFamily = Field(
        default="affine", description="For a file without a card: family of its transforms."
    )
    model_crop_shape: CropShape = Field(
        default="stretch", description="For a file without a card: how a box fits the crop."
    )
    model_box_margin: float = Field(
        default=1.0, ge=0.1, le=10.0, description="For a file without a card: factor on the box."
    )

    @model_validator(mode="after")
    def _check_normalisation(self) -> ModelSettings:
        for name in ("model_mean", "model_std"):
            count = len(getattr(self, name))
            if count not in (1, self.model_channels):
                raise ValueError(
                    f"{name} has {count} values, expected 1 or model_channels = "
                    f"{self.model_channels}"
                )
        return self

    def cardless(self) -> ModelCard | None:
        """Card for a file that has none, or None where the input size was not given."""
        if not (self.model_input_width and self.model_input_height):
            return None
        return ModelCard(
            name=self.model,
            family=self.model_family,
            input_width=self.model_input_width,
            input_height=self.model_input_height,
            channels=self.model_channels,
            mean=self.model_mean,
            std=self.model_std,
            crop_shape=self.model_crop_shape,
            box_margin=self.model_box_margin,
        )


class InputSettings(BaseModel):
    """What the node subscribes to and how inputs belong together."""

    model_config = FROZEN

    cameras: tuple[str, ...] = _fixed(
        ("camera",), "Camera names; each prefixes its topics, all share one batch.", min_length=1
    )
    max_cameras: int = _fixed(8, "Limit on the number of cameras.", ge=1, le=64)
    image_transport: Literal["raw", "compressed"] = _fixed(
        "raw", "raw: <camera>/image; compressed: its /compressed."
    )
    regions: Literal["detections", "full_frame", "fixed"] = _fixed(
        "detections", "Where boxes come from: <camera>/detections, the frame, or fixed_regions."
    )
    fixed_regions: tuple[str, ...] = Field(
        default=("",),
        description="Boxes for regions: fixed, each '[camera:]class=center_x,center_y,width,"
        "height[,angle_rad]' in pixels; empty entries are ignored.",
    )
    box_origin: Literal["center", "edge"] = Field(
        default="center",
        description="Where detectors put (0, 0): the centre of the first pixel, or its outer "
        "edge (YOLO and kin).",
    )
    use_depth: bool = _fixed(False, "Subscribe to <camera>/depth (aligned to the image).")
    input_is_rectified: bool = Field(
        default=True,
        description="Images are rectified: P of camera_info holds; else K, and D must be zero.",
    )
    max_image_width: int = Field(
        default=8192,
        ge=1,
        le=65536,
        description="Wider images are dropped and counted (too_large).",
    )
    max_image_height: int = Field(
        default=8192,
        ge=1,
        le=65536,
        description="Higher images are dropped and counted (too_large).",
    )
    sync: Literal["exact", "approximate"] = Field(
        default="exact",
        description="Pair detections with the image of the same stamp, or the nearest.",
    )
    sync_queue_size: int = Field(
        default=10, ge=1, le=1000, description="Frames per camera that wait for their detections."
    )
    sync_timeout_s: float = Field(
        default=0.5, gt=0.0, le=60.0, description="How long a frame waits; then it is unpaired."
    )
    sync_slop_s: float = Field(
        default=0.02,
        ge=0.0,
        le=10.0,
        description="Largest stamp difference for sync: approximate.",
    )
    lazy: bool = Field(
        default=True,
        description="Subscribe to inputs only while somebody subscribes to an output (/tf alone "
        "does not count).",
    )

    @field_validator("cameras")
    @classmethod
    def _check_cameras(cls, cameras: tuple[str, ...]) -> tuple[str, ...]:
        for camera in cameras:
            if not _CAMERA_NAME.fullmatch(camera):
                raise ValueError(
                    f"'{camera}' is no camera name, expected letters, digits, '_' and '/'"
                )
        if len(set(cameras)) != len(cameras):
            raise ValueError(f"{list(cameras)} names a camera twice")
        return cameras

    @model_validator(mode="after")
    def _check_whole(self) -> InputSettings:
        if len(self.cameras) > self.max_cameras:
            raise ValueError(
                f"{len(self.cameras)} cameras are given, expected at most "
                f"max_cameras = {self.max_cameras}"
            )
        boxes = self.fixed_boxes()
        if self.regions == "fixed" and not boxes:
            raise ValueError("regions is 'fixed', expected at least one entry in fixed_regions")
        for box in boxes:
            if box.camera and box.camera not in self.cameras:
                raise ValueError(
                    f"fixed_regions names the camera '{box.camera}', expected one of "
                    f"{', '.join(self.cameras)}"
                )
        return self

    def fixed_boxes(self) -> tuple[FixedRegion, ...]:
        """The entries of fixed_regions, parsed."""
        return parse_fixed_regions(self.fixed_regions)


class OutputSettings(BaseModel):
    """What goes out besides views and objects, and how the node reports."""

    model_config = FROZEN

    view_frames: bool = Field(
        default=True,
        description="Views have frames of their own, which /tf explains; false: the source's.",
    )
    frame_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_/]*$",
        description="Put before the frames '<camera>_object_<k>_optical'; one per robot.",
    )
    object_frames: bool = Field(
        default=False,
        description="Send the objects' poses as frames '<camera>_object_<k>' to /tf too.",
    )
    idle_warning_s: float = Field(
        default=5.0,
        gt=0.0,
        le=3600.0,
        description="Silence on an input after which a warning names it.",
    )
    autostart: bool = _fixed(True, "Walk to active at start; false under a lifecycle manager.")
