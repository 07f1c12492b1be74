# SPDX-License-Identifier: Apache-2.0
"""Jitter and coverage need no truth."""

import numpy as np
import pytest

from stn_perception.bags.metrics import view_columns
from stn_perception.bags.metrics.coverage import coverage, truth_coverage
from stn_perception.bags.metrics.jitter import jitter_of_side

from .making import BOX, SQUARE, box, frame_of, moved, trembling, view


def jitters(records):
    found = jitter_of_side(view_columns(records))
    return found[np.isfinite(found)]


def test_independent_errors_give_their_displacement_between_frames() -> None:
    records = trembling(seconds=60, noise_px=0.5, truth=None)
    rms = np.sqrt(np.mean(np.square(jitters(records))))
    # Between two frames each corner moves by N(0, 2·0.5²) in x and in y.
    assert rms == pytest.approx(np.sqrt(4 * 0.25) / 100, rel=0.05)


def test_a_still_view_has_no_jitter_and_steady_drift_is_none() -> None:
    assert jitters([view(k, truth=None) for k in range(5)]) == pytest.approx([0, 0, 0])
    drifting = [view(k, moved((0.8 * k, 0)), truth=None, box=box(0.8 * k)) for k in range(6)]
    assert jitters(drifting) == pytest.approx([0] * 4, abs=1e-12)


def test_a_jump_and_back_is_jitter() -> None:
    records = [view(k, moved((3.0 * (k == 2), 0)), truth=None) for k in range(5)]
    # Bends of 3, -6 and 3 px at a side of 100 px.
    assert jitters(records) == pytest.approx(np.array([3, 6, 3]) / np.sqrt(3) / 100)


def test_a_moving_box_or_truth_is_no_still_object() -> None:
    boxes = [box(3.0 * k * k) for k in range(5)]
    assert len(jitters([view(k, truth=None, box=boxes[k]) for k in range(5)])) == 0
    turning = [box(angle_rad=0.1 * k) for k in range(5)]
    assert len(jitters([view(k, truth=None, box=turning[k]) for k in range(5)])) == 0
    assert len(jitters([view(k, truth=moved((3.0 * k, 0))) for k in range(5)])) == 0


def test_only_consecutive_frames_of_one_track_are_compared() -> None:
    gap = [view(k, truth=None) for k in (0, 1, 3, 4)]
    assert len(jitters(gap)) == 0
    tracks = [view(k, truth=None, track_id=k % 2) for k in range(6)]
    assert len(jitters(tracks)) == 0
    models = [view(k, truth=None, model=f"m{k % 2}") for k in range(6)]
    assert len(jitters(models)) == 0
    mixed = [view(k, truth=None, track_id=t) for k in range(4) for t in (1, 2)]
    assert len(jitters(mixed)) == 4


def test_jitter_stands_at_the_middle_view() -> None:
    columns = view_columns([view(k, truth=None) for k in range(4)])
    assert np.isfinite(jitter_of_side(columns)).tolist() == [False, True, True, False]


def test_coverage_counts_boxes_and_true_objects() -> None:
    frames = [
        frame_of([view(0), view(0)], boxes=4, truths=3, missed=1),
        frame_of([view(1)], boxes=1, truths=1, missed=0),
    ]
    boxes, truths = coverage(frames), truth_coverage(frames)
    assert sorted(boxes.values) == [0, 0, 1, 1, 1]
    assert sorted(truths.values) == [0, 1, 1, 1]
    assert len(boxes.clusters) == 5 and len(set(boxes.clusters.tolist())) == 1


def test_frames_without_a_box_say_nothing_about_coverage() -> None:
    empty = frame_of([view(0)], boxes=0)
    assert len(coverage([empty]).values) == 0
    assert len(coverage([]).values) == 0


def test_the_side_that_jitter_is_set_against_is_the_views() -> None:
    records = [
        view(k, moved((3.0 * (k == 1), 0), SQUARE / 2), truth=None, box=BOX / 2) for k in range(3)
    ]
    assert jitters(records) == pytest.approx([6 / np.sqrt(3) / 50])
