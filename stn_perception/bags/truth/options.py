# SPDX-License-Identifier: Apache-2.0
"""Where the truth comes from, as one validated model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from stn_perception.messages.regions import BoxOrigin

TruthSource = Literal["none", "topic", "tf", "file", "fiducials"]
CornerOrder = Literal["apriltag", "clockwise"]
PlaneAxes = Literal["right_down", "right_up"]
Side = Annotated[FiniteFloat, Field(gt=0)]
Seconds = Annotated[FiniteFloat, Field(ge=0)]

# What each source cannot do without.
_NEEDED = {"topic": "topic", "tf": "sizes_m", "file": "file", "fiducials": "dictionary"}


class TruthOptions(BaseModel):
    """One source of truth and what it needs.

    Attributes:
        source: ``none``, ``topic``, ``tf``, ``file`` or ``fiducials``.
        topic: Name of the topic; ``{camera}`` in it stands for the camera's name.
        tolerance_s: Of topic and file: how far the stamp may be from the image's where none is
            equal; the nearest is taken.
        pixel_origin: Of topic: whether pixel (0, 0) is the first pixel's ``center`` or its
            ``edge``; left out, the message type's own habit.
        corner_order: Of topic: whether the corners of an upright object come ``clockwise`` from
            the top left, or as the ``apriltag`` library's: counter-clockwise from the bottom left;
            left out, the message type's own habit.
        sizes_m: Of tf: width and height in metres by the object's frame.
        axes: Of tf: which way the object frame's y points in the object's plane; x points right.
        max_gap_s: Of tf: no interpolation between transforms further apart than this.
        file: Path of a side file; ``{bag}`` in it stands for the bag's folder, ``{camera}`` for
            the camera's name.
        dictionary: Of fiducials: their family, such as ``tag36h11`` or ``DICT_4X4_50``.
        layout: Of fiducials: path of the file that says which objects lie in the tags' planes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: TruthSource = "none"
    topic: str = ""
    tolerance_s: Seconds = 0.0
    pixel_origin: BoxOrigin | None = None
    corner_order: CornerOrder | None = None
    sizes_m: dict[str, tuple[Side, Side]] = {}
    axes: PlaneAxes = "right_down"
    max_gap_s: Seconds = 0.5
    file: str = ""
    dictionary: str = ""
    layout: str = ""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> TruthOptions:
        needed = _NEEDED.get(self.source)
        if needed is not None and not getattr(self, needed):
            raise ValueError(f"the source '{self.source}' needs '{needed}'")
        return self
