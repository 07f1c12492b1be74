# SPDX-License-Identifier: Apache-2.0
"""Matching and turning many views at once is what the rule for a single pair says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stn_perception.geometry.box_rows import box_rows
from stn_perception.geometry.boxes import OrientedBox, oriented_box_of_view, oriented_iou
from stn_perception.geometry.quads import frame_from_view_of_quad, turn_view, view_quad
from stn_perception.runtime.track_matching import match_tracks
from stn_perception.runtime.view_turns import nearest_turns, turned_corners, upright_turns

SIZE = (64, 48)


def affinity(first: OrientedBox, second: OrientedBox, min_iou: float) -> float:
    """The documented rule, with exact polygons."""
    overlap = oriented_iou(first, second)
    if overlap > 0 and overlap >= min_iou:
        return 1.0 + overlap
    diagonals = math.hypot(first.width, first.height) + math.hypot(second.width, second.height)
    distance = math.hypot(first.center_x - second.center_x, first.center_y - second.center_y)
    small, large = sorted((first.area, second.area))
    return 0.0 if large > 2 * small else max(0.0, 1 - distance / (0.5 * diagonals / 2))


def expected_matches(
    tracks: list[tuple[str, OrientedBox]],
    boxes: list[tuple[str, OrientedBox]],
    min_iou: float,
    lasting: set[int],
) -> set[tuple[int, int]]:
    unique_tracks = [t for t, _ in tracks if t and [i for i, _ in tracks].count(t) == 1]
    unique_boxes = [b for b, _ in boxes if b and [i for i, _ in boxes].count(b) == 1]
    found = {
        (t, b)
        for t, (track_id, _) in enumerate(tracks)
        for b, (box_id, _) in enumerate(boxes)
        if track_id == box_id and track_id in unique_tracks and box_id in unique_boxes
    }
    pairs = sorted(
        (-affinity(track, box, min_iou), t, b)
        for t, (track_id, track) in enumerate(tracks)
        for b, (box_id, box) in enumerate(boxes)
        if not (t in lasting and track_id and box_id in unique_boxes and box_id != track_id)
    )
    for negative, t, b in pairs:
        if negative < 0 and t not in {t for t, _ in found} and b not in {b for _, b in found}:
            found.add((t, b))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_matches_follow_the_rule_for_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = ["", "", "a", "b", "c", "c"]
    tracks, boxes = [], []
    for _ in range(int(rng.integers(0, 25))):
        box = OrientedBox(*rng.uniform(0, 200, 2), *rng.uniform(5, 60, 2), rng.uniform(-3, 3))
        tracks.append((str(rng.choice(ids)), box))
        if rng.random() < 0.7:
            moved = OrientedBox(
                box.center_x + rng.normal() * 10,
                box.center_y + rng.normal() * 10,
                box.width * rng.uniform(0.8, 1.3),
                box.height,
                box.angle_rad + rng.normal() * 0.2,
            )
            boxes.append((str(rng.choice(ids)), moved))
    boxes += [("z", OrientedBox(*rng.uniform(0, 200, 2), 30, 30, 0.0)) for _ in range(seed)]
    lasting = set(rng.permutation(len(tracks))[: len(tracks) // 2].tolist())
    matches = match_tracks(
        [id for id, _ in tracks],
        box_rows([box for _, box in tracks]),
        [id for id, _ in boxes],
        box_rows([box for _, box in boxes]),
        0.2,
        lasting,
    )
    assert len(matches) == len(set(matches))
    assert set(matches) == expected_matches(tracks, boxes, 0.2, lasting)


@pytest.mark.parametrize("symmetry", [1, 2, 4])
def test_every_view_takes_its_own_turn(symmetry: int) -> None:
    rng = np.random.default_rng(symmetry)
    quads = np.array(
        [
            OrientedBox(*rng.uniform(0, 200, 2), *rng.uniform(20, 60, 2), angle).corners()
            for angle in rng.uniform(-math.pi, math.pi, 80)
        ]
    )
    quads += rng.normal(size=quads.shape)
    previous = quads[:, rng.permutation(4)] + 30 + rng.normal(size=quads.shape)
    views = frame_from_view_of_quad(quads, *SIZE)
    upright, nearest = (
        upright_turns(views, SIZE, symmetry),
        nearest_turns(quads, previous, symmetry),
    )
    choices = range(0, 4, 4 // symmetry)
    for place, view in enumerate(views):
        tilt = {
            turn: abs(oriented_box_of_view(turn_view(view, *SIZE, turn), *SIZE).angle_rad)
            for turn in choices
        }
        assert tilt[int(upright[place])] == pytest.approx(min(tilt.values()), abs=1e-5)
        shift = {}
        for turn in choices:
            now = view_quad(turn_view(view, *SIZE, turn), *SIZE)
            before = previous[place]
            shift[turn] = np.square(now - now.mean(0) - before + before.mean(0)).sum()
        assert shift[int(nearest[place])] == pytest.approx(min(shift.values()))
        corners = view_quad(turn_view(view, *SIZE, int(nearest[place])), *SIZE)
        np.testing.assert_allclose(turned_corners(quads, nearest)[place], corners, atol=1e-9)
    assert len(set(upright.tolist())) == symmetry
