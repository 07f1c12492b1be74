# SPDX-License-Identifier: Apache-2.0
"""From a recording to patches in memory: boxes by stamp, frames thinned evenly, all counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.messages.outcomes import MessageError
from stn_perception.messages.regions import Region, regions_from_detections
from stn_perception.runtime.frame import Frame, frame_from_message
from stn_perception.runtime.gray import gray_pixels
from stn_perception.runtime.requests import full_frame_region
from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.own_bag.crop_pool import Patch, cut_patch
from stn_perception.training.own_bag.errors import OwnBagError
from stn_perception.training.own_bag.topics import detections_topic, image_topic

# A box of fewer pixels shows nothing to align.
LEAST_SIDE_PX = 12.0
Report = Callable[[int, int], None]
T = TypeVar("T")


@dataclass
class ReadingReport:
    """What became of a recording's frames and boxes.

    Attributes:
        image_topic, detections_topic: what was read; the latter empty for whole frames.
        frames: image messages in the bag.
        without_boxes: frames to which no detections message belongs.
        unreadable: frames that could not be decoded, of those that were needed.
        first_reason: why the first of these could not.
        boxes: usable boxes in the recording.
        too_small: boxes left out for their size.
        kept: patches.
    """

    image_topic: str
    detections_topic: str
    frames: int = 0
    without_boxes: int = 0
    unreadable: int = 0
    first_reason: str = ""
    boxes: int = 0
    too_small: int = 0
    kept: int = 0

    def sentence(self) -> str:
        """Return all of it in one sentence."""
        where = f"boxes of {self.detections_topic}" if self.detections_topic else "whole frames"
        parts = [f"{self.kept} crops kept of {self.boxes} ({self.image_topic}, {where})"]
        if self.without_boxes:
            parts.append(f"{self.without_boxes} of {self.frames} frames have no boxes")
        if self.unreadable:
            parts.append(f"{self.unreadable} frames unreadable ({self.first_reason})")
        if self.too_small:
            parts.append(f"{self.too_small} boxes under {LEAST_SIDE_PX:g} px left out")
        return ", ".join(parts)


def read_bag(
    config: BagConfig, patch_px: int, progress: Report = lambda done, total: None
) -> tuple[list[Patch], ReadingReport]:
    """Read the configured crops of a bag.

    Args:
        config: bag, topics and how much to keep.
        patch_px: side of the patches in their own pixels.
        progress: called with frames done and frames wanted.

    Returns:
        The patches in the order of the recording, and what became of the rest.

    Raises:
        BagError: the bag is missing, empty or damaged.
        OwnBagError: it has not what is asked for, or no frame of it can be read.
    """
    bag = f"the bag {config.path}"
    with BagReader(config.path) as reader:
        report = ReadingReport(
            image_topic(reader.topics, config.topic, bag),
            detections_topic(reader.topics, config.detections, bag),
        )
        wanted = _wanted(reader, config, report)
        if not wanted:
            raise OwnBagError(_nothing_wanted(bag, config, report))
        patches: list[Patch] = []
        done = 0
        for message in reader.messages([report.image_topic]):
            stamp_ns = header_stamp_ns(message.data)
            if stamp_ns not in wanted:
                continue
            regions = wanted.pop(stamp_ns)
            done += 1
            progress(done, done + len(wanted))
            try:
                frame = frame_from_message(reader.deserialize(message))
            except (MessageError, BagError) as error:
                report.unreadable += 1
                report.first_reason = report.first_reason or str(error).rstrip(".")
                continue
            patches += _patches(frame, regions, config, patch_px)
    if not patches:
        raise OwnBagError(
            f"none of the {report.unreadable} frames of {report.image_topic} in {bag} can be "
            f"read: {report.first_reason}"
        )
    report.kept = len(patches)
    return patches, report


def _wanted(
    reader: BagReader, config: BagConfig, report: ReadingReport
) -> dict[int, list[Region] | None]:
    """Stamps of the frames to decode, each with its regions; None stands for the whole frame."""
    stamps = [header_stamp_ns(m.data) for m in reader.messages([report.image_topic])]
    report.frames = len(stamps)
    if not report.detections_topic:
        report.boxes = len(stamps)
        return dict.fromkeys(thinned(sorted(set(stamps)), config.max_crops), None)
    pairs = _paired(reader, sorted(set(stamps)), config, report)
    wanted: dict[int, list[Region] | None] = {}
    for stamp, region in thinned(pairs, config.max_crops):
        regions = wanted.setdefault(stamp, [])
        assert regions is not None
        regions.append(region)
    return wanted


def _paired(
    reader: BagReader, stamps: list[int], config: BagConfig, report: ReadingReport
) -> list[tuple[int, Region]]:
    """Every usable box with the stamp of its frame."""
    pairs: list[tuple[int, Region]] = []
    with_boxes: set[int] = set()
    for message in reader.messages([report.detections_topic]):
        stamp = _nearest(stamps, header_stamp_ns(message.data), int(config.slop_s * 1e9))
        if stamp is None or stamp in with_boxes:
            continue
        with_boxes.add(stamp)
        for region in regions_from_detections(reader.deserialize(message)):
            if not isinstance(region, Region):
                continue
            if config.only and config.only not in (region.id, region.class_id):
                continue
            if min(region.box.width, region.box.height) < LEAST_SIDE_PX:
                report.too_small += 1
                continue
            pairs.append((stamp, region))
    report.without_boxes = len(stamps) - len(with_boxes)
    report.boxes = len(pairs)
    return sorted(pairs, key=lambda pair: pair[0])


def _nothing_wanted(bag: str, config: BagConfig, report: ReadingReport) -> str:
    whose = f" of {config.only!r}" if config.only else ""
    return (
        f"{report.detections_topic} in {bag} has no usable box{whose} that belongs to one of its "
        f"{report.frames} frames (stamps within {config.slop_s:g} s, sides from "
        f"{LEAST_SIDE_PX:g} px)"
    )


def _patches(
    frame: Frame, regions: list[Region] | None, config: BagConfig, patch_px: int
) -> list[Patch]:
    picture = gray_pixels(frame.pixels, frame.color)
    patches = []
    for region in regions if regions is not None else [full_frame_region(frame)]:
        pixels, half_size = cut_patch(
            picture, region.box, config.box_margin * config.context, patch_px
        )
        patches.append(Patch(pixels, half_size, frame.stamp_ns, region.id, region.class_id))
    return patches


def _nearest(stamps: list[int], stamp: int, slop_ns: int) -> int | None:
    place = bisect_left(stamps, stamp)
    near = [s for s in stamps[max(0, place - 1) : place + 1] if abs(s - stamp) <= slop_ns]
    return min(near, key=lambda s: abs(s - stamp)) if near else None


def thinned(items: list[T], most: int) -> list[T]:
    """Return at most so many of the items, evenly over all of them."""
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]
