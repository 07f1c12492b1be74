# SPDX-License-Identifier: Apache-2.0
"""Corners between key frames follow the motion of the object's plane."""

import numpy as np
import pytest

from stn_perception.bags.labelling.interpolation import between_keys
from stn_perception.bags.labelling.labels import KeyFrame, LabelledObject
from stn_perception.bags.labelling.tracks import runs, track_of
from stn_perception.geometry import transform_points

START = np.array([[100.0, 80.0], [180.0, 84.0], [176.0, 150.0], [104.0, 146.0]])
STEP = np.array([[1.01, -0.03, 4.0], [0.03, 1.005, -2.0], [0.0002, -0.0001, 1.0]])


def moved(times):
    """The plane after the same small homography over and over, by eigenvalues."""
    values, vectors = np.linalg.eig(STEP)
    powers = [(vectors * values**t) @ np.linalg.inv(vectors) for t in times]
    return np.array([transform_points(power.real, START) for power in powers])


@pytest.mark.parametrize("keys", [[0, 12], [0, 5, 12], [0, 4, 9, 12], [0, 3, 7, 12, 16]])
def test_a_plane_that_moves_by_one_homography_over_and_over_is_met_exactly(keys):
    times = np.array(keys, dtype=float)
    at = np.linspace(times[0], times[-1], 23)
    between = between_keys(times, moved(times), at)
    assert np.abs(between.corners - moved(at)).max() < 1e-6
    assert between.exists.all()
    assert not between.straight.any()


def test_straight_lines_of_corners_would_not_meet_it():
    ends = moved([0.0, 12.0])
    assert np.abs(ends.mean(axis=0) - moved([6.0])[0]).max() > 1.0


def test_with_more_key_frames_an_even_acceleration_is_met_exactly():
    def falling(times):
        return START + np.array([[[2.0 * t, 3.0 * t**2]] for t in times])

    times = np.array([1.0, 2.0, 3.0, 4.0])
    at = np.linspace(2.0, 3.0, 9)
    assert np.abs(between_keys(times, falling(times), at).corners - falling(at)).max() < 1e-9
    two = between_keys(times[1:3], falling(times[1:3]), at)
    assert np.abs(two.corners - falling(at)).max() > 0.5


def test_key_frames_are_passed_through_and_the_curve_has_no_jump_there():
    times = np.array([0.0, 1.0, 2.5, 3.0, 4.5])
    random = np.random.default_rng(3)
    quads = START + 12 * times[:, None, None] + random.normal(size=(5, 4, 2))
    for time, quad in zip(times, quads, strict=True):
        near = np.clip([time - 1e-7, time, time + 1e-7], 0.0, 4.5)
        assert np.abs(between_keys(times, quads, near).corners - quad).max() < 1e-4


def test_an_object_that_stands_still_before_it_moves_does_not_swing():
    quads = np.array([START, START, START + 40.0])
    between = between_keys(np.array([0.0, 1.0, 2.0]), quads, np.linspace(0.0, 0.99, 12))
    assert np.abs(between.corners - START).max() < 1e-9


def test_noise_of_two_near_clicks_is_not_carried_far():
    times = np.array([0.0, 0.1, 5.0])
    quads = START + np.array([[[0.0, 0.0]], [[1.0, 0.3]], [[50.0, 0.0]]])
    at = np.linspace(0.1, 5.0, 30)
    straight = START + np.interp(at, times, [0.0, 1.0, 50.0])[:, None, None] * [1.0, 0.0]
    assert np.abs(between_keys(times, quads, at).corners - straight).max() < 0.31


def test_half_a_turn_has_no_way_of_homographies_and_is_told():
    turned = START[[2, 3, 0, 1]]
    between = between_keys(np.array([0.0, 1.0]), np.array([START, turned]), np.array([0.1, 0.9]))
    assert between.straight.all()
    assert np.abs(between.corners[0] - (0.9 * START + 0.1 * turned)).max() < 1e-9
    # At 0.1 the outline still has its order; at 0.9 each corner has passed the middle.
    assert between.exists.all()
    middle = between_keys(np.array([0.0, 1.0]), np.array([START, turned]), np.array([0.5]))
    assert not middle.exists.any()


def test_labels_end_with_the_first_and_the_last_key_frame_and_with_a_gap():
    stamps = [100 * n for n in range(30)]
    keys = {3: KeyFrame(START), 6: KeyFrame(START + 6, leaves=True), 20: KeyFrame(START)}
    track = track_of(LabelledObject("sign", keys={**keys, 22: KeyFrame(START + 4)}), stamps)
    assert runs(sorted(track.labels)) == [(3, 6), (20, 22)]
    assert track.labels[3].origin == "key"
    assert track.labels[21].origin == "interpolated"
    assert np.abs(track.labels[21].corners - (START + 2)).max() < 1e-9
    assert track.folded == ()


def test_the_path_is_one_in_time_not_in_frames():
    stamps = [0, 10**9, 10 * 10**9]
    item = LabelledObject("sign", keys={0: KeyFrame(START), 2: KeyFrame(START + 10)})
    assert np.abs(track_of(item, stamps).labels[1].corners - (START + 1)).max() < 1e-9


def test_frames_that_no_outline_leads_through_have_no_label_and_are_named():
    item = LabelledObject("sign", keys={0: KeyFrame(START), 2: KeyFrame(START[[2, 3, 0, 1]])})
    track = track_of(item, [0, 1, 2])
    assert sorted(track.labels) == [0, 2]
    assert track.folded == (1,)
