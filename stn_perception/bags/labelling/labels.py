# SPDX-License-Identifier: Apache-2.0
"""What was clicked: objects with their key frames, as values that are never changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stn_perception.geometry import FloatArray, allowed_shifts, is_convex_clockwise
from stn_perception.geometry.arrays import as_corners


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """The corners of an object where somebody placed them.

    Attributes:
        corners: 4×2 pixels, pixel centres at whole numbers: top-left, top-right, bottom-right,
            bottom-left of the upright object.
        leaves: Whether the object has no label from the following frame to its next key frame.

    Raises:
        ValueError: The corners are no convex outline in this order.
    """

    corners: FloatArray
    leaves: bool = False

    def __post_init__(self) -> None:
        corners = as_corners(self.corners).copy()
        if not (np.isfinite(corners).all() and is_convex_clockwise(corners)):
            raise ValueError(
                "these four corners are no convex outline in the order top-left, top-right, "
                "bottom-right, bottom-left of the upright object"
            )
        corners.flags.writeable = False
        object.__setattr__(self, "corners", corners)


@dataclass(frozen=True, eq=False)
class LabelledObject:
    """One object through the recording.

    Attributes:
        id: Its name, unique and not empty.
        class_id: Its class; may be empty.
        symmetry: By which quarter turns it looks the same: 1 (none), 2 or 4.
        keys: Key frames by the number of the frame.
        others: What else a file says about it, by the number of the frame.
    """

    id: str
    class_id: str = ""
    symmetry: int = 1
    keys: Mapping[int, KeyFrame] = field(default_factory=dict)
    others: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise ValueError("an object's id is empty, expected a name")
        allowed_shifts(self.symmetry)

    def spans(self) -> list[list[int]]:
        """The numbers of its key frames in order, those without a gap between them together."""
        spans: list[list[int]] = [[]]
        for frame in sorted(self.keys):
            spans[-1].append(frame)
            if self.keys[frame].leaves:
                spans.append([])
        return [span for span in spans if span]

    def with_key(self, frame: int, key: KeyFrame) -> LabelledObject:
        """The same with a key frame added or exchanged."""
        return replace(self, keys={**self.keys, frame: key})

    def without_key(self, frame: int) -> LabelledObject:
        """The same without one key frame; where a span ended there, it ends at the key before.

        Raises:
            ValueError: There is no key frame at ``frame``.
        """
        if frame not in self.keys:
            raise ValueError(f"'{self.id}' has no key frame at frame {frame}")
        keys = {number: key for number, key in self.keys.items() if number != frame}
        earlier = [number for number in keys if number < frame]
        if self.keys[frame].leaves and earlier:
            keys[max(earlier)] = replace(keys[max(earlier)], leaves=True)
        return replace(self, keys=keys)


@dataclass(frozen=True, eq=False)
class Labels:
    """All objects, in the order in which they were made."""

    objects: tuple[LabelledObject, ...] = ()

    def find(self, object_id: str) -> LabelledObject | None:
        """The object of this id, or None."""
        return next((item for item in self.objects if item.id == object_id), None)

    def get(self, object_id: str) -> LabelledObject:
        """The object of this id.

        Raises:
            ValueError: There is none.
        """
        found = self.find(object_id)
        if found is None:
            raise ValueError(f"there is no object '{object_id}'")
        return found

    def put(self, changed: LabelledObject, instead_of: str = "") -> Labels:
        """The same with an object exchanged, or added at the end.

        Args:
            changed: The object.
            instead_of: Id of the one whose place it takes; its own when left out.

        Raises:
            ValueError: It would take the id of another object.
        """
        place = instead_of or changed.id
        if changed.id != place and self.find(changed.id) is not None:
            raise ValueError(f"there is an object '{changed.id}' already, choose another id")
        if self.find(place) is None:
            return Labels((*self.objects, changed))
        return Labels(tuple(changed if item.id == place else item for item in self.objects))

    def without(self, object_id: str) -> Labels:
        """The same without one object; raises ValueError where there is none of this id."""
        gone = self.get(object_id)
        return Labels(tuple(item for item in self.objects if item is not gone))
