# SPDX-License-Identifier: Apache-2.0
"""Everything about the pipeline that a user may choose, as one validated model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stn_perception.runtime.model_card import ModelCard, PositiveFloat

ViewKind = Literal["planar", "camera"]
Interpolation = Literal["nearest", "linear", "cubic"]


class PipelineSettings(BaseModel):
    """Knobs of ``Pipeline``; each description is the parameter's documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Annotated[
        str,
        Field(
            min_length=1,
            description="Warping back end: compiled (needs Numba), opencv, reference; auto: the "
            "first of them that is installed.",
        ),
    ] = "auto"
    view_width: Annotated[
        int, Field(ge=0, le=4096, description="Width of the views in pixels; 0: the model's.")
    ] = 0
    view_height: Annotated[
        int, Field(ge=0, le=4096, description="Height of the views in pixels; 0: the model's.")
    ] = 0
    view_kind: Annotated[
        ViewKind,
        Field(
            description="planar: the network's full transform; camera: the nearest true camera "
            "without skew (needs camera_info)."
        ),
    ] = "planar"
    interpolation: Annotated[
        Interpolation, Field(description="How views are interpolated from the frame.")
    ] = "linear"
    antialias: Annotated[
        bool, Field(description="Average over source pixels where a view is smaller than them.")
    ] = True
    refinement_steps: Annotated[
        int,
        Field(
            ge=-1, le=16, description="How often the transform is refined; -1: the model's value."
        ),
    ] = -1
    box_sigma: Annotated[
        float,
        Field(
            ge=-1,
            le=1,
            description="How far the sides of detected boxes lie from the objects' own bounding "
            "boxes (standard deviation, share of the box's size): exact boxes help where edges "
            "barely show; 0: boxes say nothing; -1: the model's value.",
        ),
    ] = -1.0
    max_objects: Annotated[int, Field(ge=1, le=256, description="Number of slots per camera.")] = 8
    max_boxes: Annotated[
        int, Field(ge=1, le=4096, description="Boxes used per frame; the rest is counted.")
    ] = 64
    min_valid_fraction: Annotated[
        float,
        Field(ge=0, le=1, description="Share of a view that must lie inside the frame."),
    ] = 0.2
    max_corner_sigma: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="Largest predicted corner deviation as a share of the object's side; "
            "views beyond are dropped (uncertain); 0: no limit.",
        ),
    ] = 0.0
    uncertain_corner_sigma: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="Views whose predicted corner deviation is above this share of the "
            "object's side are marked: is_uncertain in objects, a dashed outline, a count in the "
            "diagnostics; 0: none is.",
        ),
    ] = 0.03
    min_score: Annotated[
        float,
        Field(ge=0, le=1, description="Smallest score of the network, where it gives one."),
    ] = 0.0
    smoothing: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Share of the previous transform in the new one; 0: none.",
        ),
    ] = 0.0
    track_timeout_s: Annotated[
        float,
        Field(
            gt=0, le=3600, description="A slot is free after its object was unseen for so long."
        ),
    ] = 0.5
    track_iou: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Smallest overlap of oriented boxes that continues a track.",
        ),
    ] = 0.2
    object_size_m: Annotated[
        dict[str, tuple[PositiveFloat, PositiveFloat]],
        Field(
            description="Width and height of the object in metres per class ('' for every other "
            "class); comes before the model's."
        ),
    ] = {}


def view_size(settings: PipelineSettings, card: ModelCard) -> tuple[int, int]:
    """Width and height of the views in pixels."""
    return settings.view_width or card.view_width, settings.view_height or card.view_height
