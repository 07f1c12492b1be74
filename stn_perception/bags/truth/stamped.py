# SPDX-License-Identifier: Apache-2.0
"""Truth that is known by stamp."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stn_perception.bags.truth.objects import SeenFrame, TrueObject


@dataclass(frozen=True, eq=False)
class StampedObjects:
    """The true objects at one stamp; ``frame_id`` is the image's, empty where not known."""

    stamp_ns: int
    frame_id: str
    objects: tuple[TrueObject, ...]


class StampedTruth:
    """Finds a frame's truth by its stamp: an equal one, else the nearest within a tolerance.

    Truth of one frame id is not that of an image with another.

    Args:
        entries: In any order; of several with one stamp and frame id the last holds.
        tolerance_s: Of the nearest stamp where none is equal.
        sentences: What of the source could not be used.
    """

    needs_pixels = False

    def __init__(
        self,
        entries: Iterable[StampedObjects],
        tolerance_s: float = 0.0,
        sentences: tuple[str, ...] = (),
    ) -> None:
        self.sentences = sentences
        self._tolerance_ns = round(tolerance_s * 1e9)
        found: dict[int, dict[str, tuple[TrueObject, ...]]] = {}
        for entry in entries:
            found.setdefault(entry.stamp_ns, {})[entry.frame_id] = entry.objects
        self._by_stamp = found
        self._stamps_ns = sorted(found)

    def objects(self, seen: SeenFrame) -> tuple[TrueObject, ...]:
        """The true objects of a frame."""
        for stamp_ns in self._candidates(seen.stamp_ns):
            objects = _of_frame(self._by_stamp[stamp_ns], seen.frame_id)
            if objects is not None:
                return objects
        return ()

    def part(self, first_ns: int, last_ns: int) -> StampedTruth:
        """What any frame with a stamp from ``first_ns`` to ``last_ns`` may be answered with."""
        first = bisect.bisect_left(self._stamps_ns, first_ns - self._tolerance_ns)
        last = bisect.bisect_right(self._stamps_ns, last_ns + self._tolerance_ns)
        entries = [
            StampedObjects(stamp_ns, frame_id, objects)
            for stamp_ns in self._stamps_ns[first:last]
            for frame_id, objects in self._by_stamp[stamp_ns].items()
        ]
        return StampedTruth(entries, self._tolerance_ns / 1e9, self.sentences)

    def _candidates(self, stamp_ns: int) -> list[int]:
        """The stamps within the tolerance, the nearest first, the earlier of two as near."""
        if not self._tolerance_ns:
            return [stamp_ns] if stamp_ns in self._by_stamp else []
        first = bisect.bisect_left(self._stamps_ns, stamp_ns - self._tolerance_ns)
        last = bisect.bisect_right(self._stamps_ns, stamp_ns + self._tolerance_ns)
        return sorted(
            self._stamps_ns[first:last], key=lambda stamp: (abs(stamp - stamp_ns), stamp)
        )


def _of_frame(
    by_frame: Mapping[str, tuple[TrueObject, ...]], frame_id: str
) -> tuple[TrueObject, ...] | None:
    if frame_id in by_frame:
        return by_frame[frame_id]
    if frame_id:
        return by_frame.get("")
    return next(iter(by_frame.values())) if len(by_frame) == 1 else None
