# SPDX-License-Identifier: Apache-2.0
"""A slot is one object as long as it lives, and its view does not jump."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.quads import turn_view, view_quad
from stn_perception.messages.regions import Region
from stn_perception.runtime.results import ViewEstimate
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.tracker import TrackedView, Tracker

SIZE = (64, 48)
MS = 1_000_000


def estimate(
    x: float, y: float, width: float = 40, height: float = 30, angle: float = 0.0, id: str = ""
) -> ViewEstimate:
    quad = OrientedBox(x, y, width, height, angle).corners()
    region = Region(AxisAlignedBox(x, y, width, height), id=id)
    transform = homography_from_corners(quad, view_corners(*SIZE))
    return ViewEstimate(0, region, transform, "", 1.0, np.diag(np.arange(1.0, 9.0)))


def update(
    tracker: Tracker,
    stamp_ms: int,
    estimates: list[ViewEstimate],
    symmetry: int = 1,
    **settings: Any,
) -> list[TrackedView]:
    return tracker.update(stamp_ms * MS, estimates, SIZE, symmetry, PipelineSettings(**settings))


def quad_of(view: TrackedView) -> np.ndarray:
    return view_quad(view.frame_from_view, *SIZE)


@given(order=st.lists(st.permutations(range(5)), min_size=2, max_size=8))
def test_slots_stay_whatever_the_order_of_the_boxes(order: list[list[int]]) -> None:
    tracker = Tracker()
    slot_of: dict[int, int | None] = {}
    for step, permutation in enumerate(order):
        positions = [(60 + 90 * k + 5 * step, 100 + 4 * step) for k in permutation]
        views = update(tracker, 50 * step, [estimate(x, y) for x, y in positions])
        for k, view in zip(permutation, views, strict=True):
            assert slot_of.setdefault(k, view.slot) == view.slot
    assert sorted(s for s in slot_of.values() if s is not None) == [0, 1, 2, 3, 4]


def test_upstream_ids_win_over_overlap() -> None:
    tracker = Tracker()
    first = update(tracker, 0, [estimate(100, 100, id="a"), estimate(200, 100, id="b")])
    swapped = update(tracker, 50, [estimate(100, 100, id="b"), estimate(200, 100, id="a")])
    assert [v.slot for v in swapped] == [first[1].slot, first[0].slot]


def test_ids_that_are_not_unique_are_ignored() -> None:
    tracker = Tracker()
    first = update(tracker, 0, [estimate(100, 100, id="sign"), estimate(200, 100, id="sign")])
    second = update(tracker, 50, [estimate(202, 100, id="sign"), estimate(101, 100, id="sign")])
    assert [v.track_id for v in second] == [first[1].track_id, first[0].track_id]


def test_a_slot_is_kept_through_a_gap_and_freed_after_the_timeout() -> None:
    tracker = Tracker()
    (first,) = update(tracker, 0, [estimate(100, 100)])
    assert update(tracker, 200, []) == []
    (after_gap,) = update(tracker, 400, [estimate(103, 100)], track_timeout_s=0.5)
    assert (after_gap.slot, after_gap.track_id) == (first.slot, first.track_id)
    (other,) = update(tracker, 1000, [estimate(103, 100)], track_timeout_s=0.5)
    assert other.slot == 0
    assert other.track_id != first.track_id


def test_a_living_slot_is_not_given_away() -> None:
    tracker = Tracker()
    update(tracker, 0, [estimate(100, 100)], max_objects=1)
    (second,) = update(tracker, 50, [estimate(300, 100)], max_objects=1)
    assert second.slot is None
    back, still = update(tracker, 100, [estimate(100, 100), estimate(300, 100)], max_objects=1)
    assert (back.slot, still.slot) == (0, None)


def test_a_freed_slot_goes_to_the_oldest_that_waits() -> None:
    tracker = Tracker()
    objects = [estimate(100, 100), estimate(300, 100), estimate(500, 100)]
    views = update(tracker, 0, objects, max_objects=1)
    assert [v.slot for v in views] == [0, None, None]
    for stamp in (300, 600):
        views = update(tracker, stamp, objects[1:], max_objects=1)
    assert [v.slot for v in views] == [0, None]


def test_a_jump_back_in_time_forgets_tracks_but_not_numbers() -> None:
    tracker = Tracker()
    (first,) = update(tracker, 1000, [estimate(100, 100)])
    (again,) = update(tracker, 0, [estimate(100, 100)])
    assert again.slot == 0
    assert again.track_id != first.track_id


@pytest.mark.parametrize(("symmetry", "step_deg"), [(1, 5), (2, 7), (4, 9)])
def test_the_view_of_a_turning_object_keeps_its_turn(symmetry: int, step_deg: int) -> None:
    """The network answers with any of the equal turns; the track follows the object itself."""
    rng = np.random.default_rng(symmetry)
    tracker = Tracker()
    last = None
    for step in range(80):
        true = estimate(200, 150, 40, 40, np.radians(step * step_deg))
        turn = int(rng.integers(symmetry)) * (4 // symmetry)
        seen = ViewEstimate(0, true.region, turn_view(true.frame_from_view, *SIZE, turn), "", 1.0)
        (view,) = update(tracker, 50 * step, [seen], symmetry=symmetry)
        quad = quad_of(view)
        if last is None:
            np.testing.assert_allclose(quad, view_quad(true.frame_from_view, *SIZE), atol=1e-6)
        else:
            assert np.abs(quad - last).max() < 8
        last = quad


@pytest.mark.parametrize("symmetry", [2, 4])
def test_a_new_track_starts_nearest_to_upright(symmetry: int) -> None:
    for degrees in range(0, 360, 17):
        (view,) = update(
            Tracker(), 0, [estimate(200, 150, 40, 40, np.radians(degrees))], symmetry=symmetry
        )
        right, down = np.diff(quad_of(view)[[0, 1, 2]], axis=0)
        angle = np.degrees(np.arctan2(right[1], right[0]))
        assert abs(angle) <= 180 / symmetry + 1e-6
        assert right[0] * down[1] - right[1] * down[0] > 0


def test_the_covariance_turns_with_the_view() -> None:
    tracker = Tracker()
    upright = estimate(200, 150, 40, 40)
    (view,) = update(tracker, 0, [upright], symmetry=4)
    turned_back = ViewEstimate(
        0,
        upright.region,
        turn_view(upright.frame_from_view, *SIZE, 1),
        "",
        1.0,
        upright.corner_covariance,
    )
    (view,) = update(tracker, 50, [turned_back], symmetry=4)
    # Its corner i was the estimate's corner i + 3: variances 7, 8, 1, 2, ...
    np.testing.assert_allclose(quad_of(view), view_quad(upright.frame_from_view, *SIZE), atol=1e-9)
    assert view.estimate.corner_covariance is not None
    assert np.diag(view.estimate.corner_covariance).tolist() == [7, 8, 1, 2, 3, 4, 5, 6]


def test_without_smoothing_the_transform_is_the_estimates_own() -> None:
    tracker = Tracker()
    for step in range(4):
        new = estimate(100 + 3 * step, 100, angle=0.1 * step)
        (view,) = update(tracker, 50 * step, [new])
        np.testing.assert_array_equal(view.frame_from_view, new.frame_from_view)


def test_smoothing_moves_along_the_group_and_arrives() -> None:
    tracker = Tracker()
    (start,) = update(tracker, 0, [estimate(100, 100)], smoothing=0.5)
    target = estimate(110, 100, 48, 36, 0.4)
    errors = []
    for step in range(1, 20):
        (view,) = update(tracker, 50 * step, [target], smoothing=0.5)
        errors.append(np.abs(quad_of(view) - view_quad(target.frame_from_view, *SIZE)).max())
    assert errors[0] > 1
    assert all(after < before for before, after in pairwise(errors[:12]))
    assert errors[-1] < 1e-3
    assert start.slot == view.slot


def test_a_smoothed_rotation_keeps_the_views_shape() -> None:
    """Averaging matrices or corners would shrink a turning view; the group's path does not."""
    tracker = Tracker()
    update(tracker, 0, [estimate(100, 100, 40, 40)], smoothing=0.5)
    (view,) = update(tracker, 50, [estimate(100, 100, 40, 40, 1.0)], smoothing=0.5)
    sides = np.linalg.norm(np.roll(quad_of(view), -1, axis=0) - quad_of(view), axis=1)
    np.testing.assert_allclose(sides, 40, rtol=1e-6)
    right = quad_of(view)[1] - quad_of(view)[0]
    assert np.arctan2(right[1], right[0]) == pytest.approx(0.5, abs=1e-6)


def test_the_view_size_may_change_between_frames() -> None:
    tracker = Tracker()
    (first,) = update(tracker, 0, [estimate(100, 100)], smoothing=0.5)
    quad = OrientedBox(100, 100, 40, 30).corners()
    transform = homography_from_corners(quad, view_corners(128, 128))
    new = ViewEstimate(0, Region(AxisAlignedBox(100, 100, 40, 30)), transform, "", 1.0)
    (view,) = tracker.update(50 * MS, [new], (128, 128), 1, PipelineSettings(smoothing=0.5))
    assert view.slot == first.slot
    np.testing.assert_allclose(view_quad(view.frame_from_view, 128, 128), quad, atol=1e-6)


def test_ids_that_are_new_in_every_frame_do_not_break_tracks() -> None:
    """Some detectors give each detection a random id; overlap then says what belongs together."""
    tracker = Tracker()
    slots = []
    for frame in range(5):
        found = [estimate(100 + frame, 80, id=f"a{frame}"), estimate(200, 80, id=f"b{frame}")]
        views = update(tracker, 33 * frame, found)
        slots.append([(view.track_id, view.slot) for view in views])
    assert slots == [slots[0]] * 5
