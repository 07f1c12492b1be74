# SPDX-License-Identifier: Apache-2.0
"""What the page may ask for, as validated models, and what it does to the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from stn_perception.bags.labelling.labels import KeyFrame, LabelledObject, Labels
from stn_perception.bags.labelling.tracks import Track
from stn_perception.bags.truth.validation import sentence
from stn_perception.geometry import FloatArray

Point = tuple[FiniteFloat, FiniteFloat]
Frame = Annotated[int, Field(ge=0)]
# A file of labels keeps a thousandth of a pixel; key frames have it from the start.
_DECIMALS = 3


class _Edit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Edit):
    """Put the corners of an object in a frame, which makes it a key frame."""

    do: Literal["place"]
    object: str
    frame: Frame
    corners: tuple[Point, Point, Point, Point]
    class_id: str = ""
    gesture: str = ""


class Fix(_Edit):
    """Make a key frame of where the object is, or say that it leaves (stays) after this frame."""

    do: Literal["fix"]
    object: str
    frame: Frame
    leaves: bool = False


class Unplace(_Edit):
    """Take a key frame away."""

    do: Literal["unplace"]
    object: str
    frame: Frame


class Describe(_Edit):
    """Give an object an id, a class and a symmetry."""

    do: Literal["describe"]
    object: str
    id: str
    class_id: str
    symmetry: Literal[1, 2, 4]


class Remove(_Edit):
    """Take an object away from all frames."""

    do: Literal["remove"]
    object: str


class Step(_Edit):
    """Undo, redo, or write the file once more."""

    do: Literal["undo", "redo", "save"]


Change = Place | Fix | Unplace | Describe | Remove
_ANY: TypeAdapter[Change | Step] = TypeAdapter(Annotated[Change | Step, Field(discriminator="do")])
_KINDS = ("place", "fix", "unplace", "describe", "remove", "undo", "redo", "save")


def parse_edit(content: object) -> Change | Step:
    """The edit that the page sent.

    Raises:
        ValueError: It is none.
    """
    try:
        return _ANY.validate_python(content)
    except ValidationError as error:
        raise ValueError(f"the edit cannot be used: {sentence(error, _KINDS)}") from error


def changed(labels: Labels, edit: Change, track: Track | None, frame_count: int) -> Labels:
    """The labels after an edit.

    Args:
        labels: Before.
        edit: What is asked for.
        track: Of the edit's object as it is; None where it is new.
        frame_count: Of the recording.

    Raises:
        ValueError: It cannot be done; the labels stay as they are.
    """
    if isinstance(edit, Remove):
        return labels.without(edit.object)
    if isinstance(edit, Describe):
        item = labels.get(edit.object)
        item = replace(item, id=edit.id.strip(), class_id=edit.class_id.strip())
        return labels.put(replace(item, symmetry=edit.symmetry), instead_of=edit.object)
    if edit.frame >= frame_count:
        raise ValueError(f"frame is {edit.frame}, expected below {frame_count}")
    if isinstance(edit, Place):
        item = labels.find(edit.object) or LabelledObject(edit.object, edit.class_id.strip())
        known = item.keys.get(edit.frame)
        corners = np.array(edit.corners, dtype=np.float64)
        return labels.put(item.with_key(edit.frame, _key(corners, known)))
    item = labels.get(edit.object)
    if isinstance(edit, Unplace):
        item = item.without_key(edit.frame)
        return labels.put(item) if item.keys else labels.without(item.id)
    label = track.labels.get(edit.frame) if track is not None else None
    if label is None:
        raise ValueError(f"'{item.id}' has no label in frame {edit.frame}")
    key = replace(_key(label.corners, item.keys.get(edit.frame)), leaves=edit.leaves)
    return labels.put(item.with_key(edit.frame, key))


def _key(corners: FloatArray, known: KeyFrame | None) -> KeyFrame:
    return KeyFrame(corners.round(_DECIMALS), known.leaves if known else False)
