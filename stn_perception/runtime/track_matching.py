# SPDX-License-Identifier: Apache-2.0
"""Which object of the last frames each new box belongs to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from stn_perception.geometry.boxes import OrientedBox, oriented_iou

# Thin or small objects move off their own box between frames: the centre may move by this share
# of the mean diagonal, at this ratio of areas.
_NEAR_SHARE = 0.5
_LARGEST_AREA_RATIO = 2.0

Identified = tuple[str, OrientedBox]


def match_tracks(
    tracks: Sequence[Identified],
    boxes: Sequence[Identified],
    min_iou: float,
    lasting: Collection[int] | None = None,
) -> list[tuple[int, int]]:
    """Pairs (track, box), each used once.

    Upstream ids come first where they are given and unique on both sides. A track whose id has
    lasted never matches another id; one whose id was seen once may, because some detectors give
    every detection an id of its own. What is left goes by overlap of the oriented boxes, the
    largest first, then by distance of their centres.

    Args:
        tracks: Last upstream id ('' for none) and box of each track.
        boxes: Upstream id and box of each new estimate.
        min_iou: Smallest overlap that matches.
        lasting: Tracks whose id came in more than one frame; None for all.
    """
    matches = _by_id(tracks, boxes)
    used_tracks = {track for track, _ in matches}
    used_boxes = {box for _, box in matches}
    unique = _unique_ids(boxes)
    candidates = []
    for t, (track_id, track_box) in enumerate(tracks):
        for b, (box_id, box) in enumerate(boxes):
            if t in used_tracks or b in used_boxes:
                continue
            lasts = lasting is None or t in lasting
            if lasts and track_id and box_id in unique and track_id != box_id:
                continue
            affinity = _affinity(track_box, box, min_iou)
            if affinity > 0:
                candidates.append((-affinity, t, b))
    for _, t, b in sorted(candidates):
        if t not in used_tracks and b not in used_boxes:
            used_tracks.add(t)
            used_boxes.add(b)
            matches.append((t, b))
    return matches


def _by_id(tracks: Sequence[Identified], boxes: Sequence[Identified]) -> list[tuple[int, int]]:
    known, unique = _unique_ids(tracks), _unique_ids(boxes)
    track_of = {id: t for t, (id, _) in enumerate(tracks) if id in known}
    return [
        (track_of[id], b) for b, (id, _) in enumerate(boxes) if id in unique and id in track_of
    ]


def _unique_ids(identified: Sequence[Identified]) -> set[str]:
    counts = Counter(id for id, _ in identified if id)
    return {id for id, count in counts.items() if count == 1}


def _affinity(first: OrientedBox, second: OrientedBox, min_iou: float) -> float:
    """1 to 2 by overlap, 0 to 1 by nearness, 0 for no match."""
    overlap = oriented_iou(first, second)
    if overlap > 0 and overlap >= min_iou:
        return 1.0 + overlap
    diagonal = math.hypot(first.width, first.height) + math.hypot(second.width, second.height)
    distance = math.hypot(first.center_x - second.center_x, first.center_y - second.center_y)
    nearness = 1.0 - distance / (_NEAR_SHARE * diagonal / 2)
    areas = sorted((first.area, second.area))
    if areas[1] > _LARGEST_AREA_RATIO * areas[0]:
        return 0.0
    return max(0.0, nearness)
