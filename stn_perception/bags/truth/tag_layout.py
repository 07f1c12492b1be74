# SPDX-License-Identifier: Apache-2.0
"""Objects that lie in the planes of fiducials.

A layout file gives an object's corners in the coordinates of a tag: its side is 1, its centre the
origin, x to the right and y down as the upright tag is looked at. An object that comes with
several tags is placed by all of those that are seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from stn_perception.bags.truth.objects import TrueObject
from stn_perception.bags.truth.side_entry import Quad
from stn_perception.bags.truth.validation import read_model
from stn_perception.geometry import (
    FloatArray,
    homography_from_corners,
    is_convex_clockwise,
    transform_points,
)

TAG_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
"""A tag's corners in its own coordinates; the object's are found in the same square."""


class LayoutObject(BaseModel):
    """Where an object lies in the plane of one tag."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: Annotated[str, Field(min_length=1)]
    class_id: Annotated[str, Field(alias="class")] = ""
    symmetry: Literal[1, 2, 4] = 1
    tag: Annotated[int, Field(ge=0, strict=True)]
    corners: Quad

    @model_validator(mode="after")
    def _is_an_outline(self) -> LayoutObject:
        if not is_convex_clockwise(self.corners):
            raise ValueError(
                f"the object '{self.id}' has the corners {[list(c) for c in self.corners]}, "
                "expected top-left, top-right, bottom-right, bottom-left of a convex outline"
            )
        return self


class LayoutFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    objects: Annotated[tuple[LayoutObject, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_consistent(self) -> LayoutFile:
        first: dict[str, LayoutObject] = {}
        seen: set[tuple[str, int]] = set()
        for entry in self.objects:
            one = first.setdefault(entry.id, entry)
            if (entry.class_id, entry.symmetry) != (one.class_id, one.symmetry):
                raise ValueError(f"the object '{entry.id}' has two classes or symmetries")
            if (entry.id, entry.tag) in seen:
                raise ValueError(f"the object '{entry.id}' comes twice with the tag {entry.tag}")
            seen.add((entry.id, entry.tag))
        return self


@dataclass(frozen=True, eq=False)
class PlacedObject:
    """An object with the tags in its plane.

    Attributes:
        id: Its name.
        class_id: Its class.
        symmetry: By which quarter turns it looks the same.
        tags_in_object: 4×2 corners of each tag by number, in coordinates in which the object is
            the square of ``TAG_CORNERS``.
    """

    id: str
    class_id: str
    symmetry: int
    tags_in_object: dict[int, FloatArray]

    def seen(self, tags: dict[int, FloatArray]) -> TrueObject | None:
        """The object by all its tags that are seen (corners by number); None without any.

        One tag gives the homography exactly, several the one of least squared distances.
        """
        numbers = sorted(self.tags_in_object.keys() & tags.keys())
        if not numbers:
            return None
        in_object = np.vstack([self.tags_in_object[number] for number in numbers])
        in_frame = np.vstack([tags[number] for number in numbers])
        frame_from_object = _homography(in_frame, in_object)
        if frame_from_object is None:
            return None
        corners = transform_points(frame_from_object, TAG_CORNERS)
        # Behind the camera, or beyond the plane's horizon.
        if not (np.isfinite(corners).all() and is_convex_clockwise(corners)):
            return None
        return TrueObject(self.id, self.class_id, corners, self.symmetry)


def read_layout(path: Path) -> tuple[PlacedObject, ...]:
    """The objects of a layout file.

    Raises:
        BagError: It cannot be read or is of another form.
    """
    content = read_model(path, LayoutFile, "layout")
    placed: dict[str, PlacedObject] = {}
    for entry in content.objects:
        known = placed.setdefault(
            entry.id, PlacedObject(entry.id, entry.class_id, entry.symmetry, {})
        )
        object_from_tag = homography_from_corners(TAG_CORNERS, entry.corners)
        known.tags_in_object[entry.tag] = transform_points(object_from_tag, TAG_CORNERS)
    return tuple(placed.values())


def tags_by_number(tags: Sequence[tuple[int, FloatArray]]) -> dict[int, FloatArray]:
    """Corners by number; a number that is seen twice says nothing about where an object is."""
    counts = Counter(number for number, _ in tags)
    return {number: corners for number, corners in tags if counts[number] == 1}


def _homography(target: FloatArray, source: FloatArray) -> FloatArray | None:
    """``target_from_source`` of N >= 4 points; positive w at the points."""
    if len(source) == len(TAG_CORNERS):
        return homography_from_corners(target, source)
    found, _ = cv2.findHomography(source, target, 0)
    if found is None:
        return None
    weight = float((source @ found[2, :2] + found[2, 2]).mean())
    return np.asarray(found / weight, dtype=np.float64) if weight else None
