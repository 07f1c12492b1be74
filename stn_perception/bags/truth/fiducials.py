# SPDX-License-Identifier: Apache-2.0
"""Truth made from the pictures: fiducials in the scene, and objects in their planes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags.truth.names import filled_path
from stn_perception.bags.truth.objects import SeenFrame, TrueObject
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.bags.truth.tag_detection import detect_tags
from stn_perception.bags.truth.tag_family import TagFamily, tag_family
from stn_perception.bags.truth.tag_layout import PlacedObject, read_layout, tags_by_number


@dataclass(frozen=True, eq=False)
class FiducialTruth:
    """Finds fiducials in each frame.

    Attributes:
        family: Which are looked for.
        layout: The objects in their planes; None where the tags themselves are the objects.
        sentences: Always empty.
    """

    family: TagFamily
    layout: tuple[PlacedObject, ...] | None = None
    needs_pixels: bool = True
    sentences: tuple[str, ...] = ()

    def objects(self, seen: SeenFrame) -> tuple[TrueObject, ...]:
        """The tags of a frame as ``tag_<number>`` of the family's class, or the layout's objects.

        Raises:
            ValueError: The frame comes without its pixels.
        """
        if seen.gray is None:
            raise ValueError(f"the frame at {seen.stamp_ns} comes without its pixels")
        tags = detect_tags(seen.gray, self.family)
        if self.layout is None:
            return tuple(
                TrueObject(f"tag_{number}", self.family.name, corners) for number, corners in tags
            )
        known = tags_by_number(tags)
        found = [placed.seen(known) for placed in self.layout]
        return tuple(placed for placed in found if placed is not None)

    def part(self, first_ns: int, last_ns: int) -> FiducialTruth:
        """The same: the pictures hold the rest."""
        return self


def fiducial_truth(options: TruthOptions, bag: Path, camera: str) -> FiducialTruth:
    """The truth from the fiducials that the options name.

    Raises:
        BagError: The family is not known, or the layout file is of no use.
    """
    family = tag_family(options.dictionary)
    if not options.layout:
        return FiducialTruth(family)
    return FiducialTruth(family, read_layout(filled_path(options.layout, bag, camera)))
