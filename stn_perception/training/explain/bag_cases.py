# SPDX-License-Identifier: Apache-2.0
"""Cases of a recording: its boxes, or its whole frames, thinned evenly over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stn_perception.bags import BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.messages.outcomes import MessageError
from stn_perception.messages.regions import Region, regions_from_detections
from stn_perception.runtime.frame import frame_from_message
from stn_perception.runtime.requests import full_frame_region
from stn_perception.training.explain.cases import Case, CaseSource, ExplainError, true_corners
from stn_perception.training.explain.folder_cases import spread
from stn_perception.training.explain.truth_files import Objects, read_truth, truth_beside
from stn_perception.training.own_bag.topics import detections_topic, image_topic

# Detections and image of one moment, as the node's approximate pairing has it.
_SLOP_NS = 20_000_000


@dataclass(frozen=True)
class BagChoice:
    """What to take from a bag.

    Attributes:
        path: bag folder or file.
        topic: image topic; empty where the bag has one.
        detections: topic of the boxes; empty for the bag's only one, if any, else whole frames;
            ``full_frame`` for whole frames.
        truth: file with true corners; None for the one beside the bag.
        limit: cases at most.
    """

    path: Path
    topic: str = ""
    detections: str = ""
    truth: Path | None = None
    limit: int = 500


def bag_cases(choice: BagChoice) -> CaseSource:
    """Find the cases of a bag; its pictures are decoded as the cases are taken.

    Raises:
        BagError: the bag cannot be read.
        OwnBagError: it has not the topics asked for.
        ExplainError: the truth file cannot be read, or no box belongs to a frame.
    """
    folder = choice.path if choice.path.is_dir() else choice.path.parent
    truth = read_truth(choice.truth) if choice.truth else truth_beside(folder)
    bag = f"the bag {choice.path}"
    with BagReader(choice.path) as reader:
        images = image_topic(reader.topics, choice.topic, bag)
        boxes = detections_topic(reader.topics, choice.detections, bag)
        stamps = sorted({header_stamp_ns(m.data) for m in reader.messages([images])})
        if boxes:
            found = _boxes_by_frame(reader, boxes, stamps)
            if not found:
                raise ExplainError(
                    f"{boxes} in {bag} has no usable box within {_SLOP_NS / 1e9:g} s of one of "
                    f"the {len(stamps)} frames of {images}"
                )
        else:
            found = [(stamp, None) for stamp in stamps]
    chosen = _thinned(found, choice.limit)
    wanted: dict[int, list[Region | None]] = defaultdict(list)
    for stamp, region in chosen:
        wanted[stamp].append(region)
    where = f"boxes of {boxes}" if boxes else "whole frames (the bag has no boxes)"
    if choice.detections and not boxes:
        where = "whole frames"
    thin = f", {len(chosen)} of {len(found)}, evenly over time" if chosen != found else ""
    return CaseSource(
        f"The recording {choice.path.name}: {images}, {where}{thin}.",
        _decoded(choice.path, images, wanted, truth.by_stamp),
    )


def _boxes_by_frame(
    reader: BagReader, topic: str, stamps: list[int]
) -> list[tuple[int, Region | None]]:
    """Every usable box with the stamp of the frame nearest to it, in the order of time."""
    times = np.array(stamps, dtype=np.int64)
    pairs: list[tuple[int, Region | None]] = []
    for message in reader.messages([topic]):
        stamp = header_stamp_ns(message.data)
        gaps = np.abs(times - stamp)
        nearest = int(gaps.argmin())
        if gaps[nearest] > _SLOP_NS:
            continue
        for region in regions_from_detections(reader.deserialize(message)):
            if isinstance(region, Region):
                pairs.append((stamps[nearest], region))
    return sorted(pairs, key=lambda pair: pair[0])


def _decoded(
    path: Path,
    topic: str,
    wanted: Mapping[int, list[Region | None]],
    truth: Mapping[int, Objects],
) -> Iterator[Case]:
    left, first = dict(wanted), min(wanted)
    with BagReader(path) as reader:
        for message in reader.messages([topic]):
            stamp = header_stamp_ns(message.data)
            regions = left.pop(stamp, [])
            if not regions:
                continue
            try:
                frame = frame_from_message(reader.deserialize(message))
            except MessageError as error:
                raise ExplainError(
                    f"the frame of {topic} in the bag {path} with the stamp {stamp} cannot be "
                    f"read: {error}"
                ) from error
            for region in regions:
                region = region or full_frame_region(frame)
                name = f"{(stamp - first) / 1e9:.3f} s {region.id or region.class_id}".rstrip()
                yield Case(name, frame, region, true_corners(region, truth.get(stamp, {})))


def _thinned(pairs: list[tuple[int, Region | None]], most: int) -> list[tuple[int, Region | None]]:
    return [pairs[i] for i in spread(len(pairs), most)]
