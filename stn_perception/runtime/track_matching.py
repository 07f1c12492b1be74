# SPDX-License-Identifier: Apache-2.0
"""Which object of the last frames each new box belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import overlaps

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Thin or small objects move off their own box between frames: the centre may move by this share
# of the mean diagonal, at this ratio of areas.
_NEAR_SHARE = 0.5
_LARGEST_AREA_RATIO = 2.0


def match_tracks(
    track_ids: Sequence[str],
    tracks: Matrix,
    box_ids: Sequence[str],
    boxes: Matrix,
    min_iou: float,
    lasting: Collection[int] | None = None,
) -> list[tuple[int, int]]:
    """Pairs (track, box), each used once.

    Upstream ids come first where they are given and unique on both sides. A track whose id has
    lasted never matches another id; one whose id was seen once may, because some detectors give
    every detection an id of its own. What is left goes by overlap of the oriented boxes, the
    largest first, then by distance of their centres.

    Args:
        track_ids: Last upstream id of each track, '' for none.
        tracks: The tracks' oriented boxes as rows, T×5.
        box_ids: Upstream id of each new estimate, '' for none.
        boxes: The estimates' oriented boxes, N×5.
        min_iou: Smallest overlap that matches.
        lasting: Tracks whose id came in more than one frame; None for all.
    """
    matches = _by_id(track_ids, box_ids)
    if not (len(tracks) and len(boxes)) or len(matches) == min(len(tracks), len(boxes)):
        return matches
    steps = tracks[:, None, :2] - boxes[:, :2]
    nearness = _nearness(steps, tracks, boxes)
    possible = (nearness > 0) | _may_overlap(steps, tracks, boxes)
    for t, b in matches:
        possible[t] = False
        possible[:, b] = False
    _keep_ids_apart(possible, track_ids, box_ids, lasting)
    # Who has one choice, and is its only one, needs no order: near enough is enough.
    alone = possible & (possible.sum(axis=1) == 1)[:, None] & (possible.sum(axis=0) == 1)
    is_sure = alone & (nearness > 0)
    t_sure, b_sure = np.nonzero(is_sure)
    like = _are_alike(tracks[t_sure], boxes[b_sure])
    t_sure, b_sure = t_sure[like], b_sure[like]
    matches += zip(t_sure.tolist(), b_sure.tolist(), strict=True)
    possible[t_sure] = False
    if not possible.any():
        return matches
    t_places, b_places = np.nonzero(possible)
    near = nearness[t_places, b_places]
    affinity = _affinity(tracks[t_places], boxes[b_places], near, min_iou)
    candidates = zip((-affinity).tolist(), t_places.tolist(), b_places.tolist(), strict=True)
    used_tracks: set[int] = set()
    used_boxes: set[int] = set()
    for negative, t, b in sorted(candidates):
        if negative < 0 and t not in used_tracks and b not in used_boxes:
            used_tracks.add(t)
            used_boxes.add(b)
            matches.append((t, b))
    return matches


def _by_id(track_ids: Sequence[str], box_ids: Sequence[str]) -> list[tuple[int, int]]:
    known, unique = _unique_ids(track_ids), _unique_ids(box_ids)
    if not (known and unique):
        return []
    track_of = {id: t for t, id in enumerate(track_ids) if id in known}
    return [(track_of[id], b) for b, id in enumerate(box_ids) if id in unique and id in track_of]


def _unique_ids(ids: Sequence[str]) -> set[str]:
    counts = Counter(id for id in ids if id)
    return {id for id, count in counts.items() if count == 1}


def _keep_ids_apart(
    possible: Mask,
    track_ids: Sequence[str],
    box_ids: Sequence[str],
    lasting: Collection[int] | None,
) -> None:
    unique = _unique_ids(box_ids)
    if not unique:
        return
    number = {id: place for place, id in enumerate(unique)}
    # -1: any track goes with a box without an id of its own; -2: a track that no box may be.
    of_box = np.array([number.get(id, -1) for id in box_ids])
    of_track = np.array([number.get(id, -2) for id in track_ids])
    keeps = np.array(
        [bool(id) and (lasting is None or t in lasting) for t, id in enumerate(track_ids)]
    )
    possible &= ~keeps[:, None] | (of_box == -1) | (of_track[:, None] == of_box)


def _may_overlap(steps: Matrix, tracks: Matrix, boxes: Matrix) -> Mask:
    """T×N: the pairs whose upright bounding boxes overlap."""
    reach = _half_extents(tracks)[:, None] + _half_extents(boxes)
    overlapping: Mask = np.logical_and.reduce(np.abs(steps) < reach, axis=2)
    return overlapping


def _half_extents(rows: Matrix) -> Matrix:
    """Half the width and the height of the upright boxes around N oriented ones, N×2."""
    cos, sin = np.abs(np.cos(rows[:, 4])), np.abs(np.sin(rows[:, 4]))
    width, height = rows[:, 2], rows[:, 3]
    return np.stack([cos * width + sin * height, sin * width + cos * height], axis=1) / 2


def _nearness(steps: Matrix, tracks: Matrix, boxes: Matrix) -> Matrix:
    """T×N: 1 where centres coincide, 0 at the largest step, less beyond."""
    between = np.hypot(steps[..., 0], steps[..., 1])
    diagonals = np.hypot(tracks[:, 2], tracks[:, 3])[:, None] + np.hypot(boxes[:, 2], boxes[:, 3])
    return np.asarray(1.0 - between / (_NEAR_SHARE * diagonals / 2))


def _affinity(first: Matrix, second: Matrix, nearness: Matrix, min_iou: float) -> Matrix:
    """1 to 2 by overlap, 0 to 1 by nearness, 0 for no match, of each row with the one beside."""
    overlap = overlaps(first, second)
    near = np.where(_are_alike(first, second), np.maximum(0.0, nearness), 0.0)
    return np.where((overlap > 0) & (overlap >= min_iou), 1.0 + overlap, near)


def _are_alike(first: Matrix, second: Matrix) -> Mask:
    areas = first[:, 2] * first[:, 3], second[:, 2] * second[:, 3]
    alike: Mask = np.maximum(*areas) <= _LARGEST_AREA_RATIO * np.minimum(*areas)
    return alike
