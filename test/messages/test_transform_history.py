# SPDX-License-Identifier: Apache-2.0
"""Transforms are answered at any time as tf2 would, and never beyond what was said."""

import pickle

import numpy as np
import pytest

from stn_perception.geometry import rotation_from_vector
from stn_perception.messages.factory import NamespaceFactory, header
from stn_perception.messages.transform_history import TransformRecorder
from stn_perception.messages.transforms import tf_message, transform_stamped

FACTORY = NamespaceFactory()
AXIS = np.array([0.48, -0.6, 0.64])
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def transform(parent, child, at_s, translation, rotation=None):
    head = header(FACTORY, START + round(at_s * SECOND), parent)
    turn = np.eye(3) if rotation is None else rotation
    return transform_stamped(FACTORY, head, child, turn, translation)


def history(moving=(), static=()):
    recorder = TransformRecorder()
    for entry in moving:
        recorder.add(tf_message(FACTORY, [entry]), is_static=False)
    recorder.add(tf_message(FACTORY, list(static)), is_static=True)
    return recorder.history()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def turned(angle_rad: float) -> np.ndarray:
    return rotation_from_vector(AXIS * angle_rad)


def motion(at_s: float) -> tuple[np.ndarray, np.ndarray]:
    """A steady motion: interpolation between any two of its moments is exact."""
    return np.array([1.0, -2.0, 0.5]) * at_s, turned(0.9 * at_s)


@pytest.mark.parametrize("at_s", [0.0, 0.031, 0.05, 1.234567891, 1.999])
def test_a_steady_motion_is_known_at_every_moment_between_two_stamps(at_s):
    stamps = np.linspace(0, 2, 21)
    tree = history([transform("odom", "base", t, *motion(t)) for t in stamps])
    pose = tree.lookup("odom", "base", at(at_s))
    translation, rotation = motion(at_s)
    np.testing.assert_allclose(pose.translation, translation, atol=1e-8)
    np.testing.assert_allclose(pose.rotation, rotation, atol=1e-8)


def test_rotations_take_the_shorter_way():
    # Half a turn apart all but 0.2 rad, given once more with the quaternion's other sign.
    entries = [transform("a", "b", 0, (0, 0, 0), turned(0)), transform("a", "b", 1, (0, 0, 0))]
    turn = np.array([*(AXIS * np.sin(1.4)), np.cos(1.4)])
    for sign in (1, -1):
        for name, value in zip("xyzw", sign * turn, strict=True):
            setattr(entries[1].transform.rotation, name, float(value))
        pose = history(entries).lookup("a", "b", at(0.25))
        np.testing.assert_allclose(pose.rotation, turned(0.7), atol=1e-12)


def test_nothing_is_said_before_the_first_and_after_the_last_stamp():
    tree = history([transform("a", "b", t, (t, 0, 0)) for t in (1, 2)])
    assert tree.lookup("a", "b", at(1) - 1) is None
    assert tree.lookup("a", "b", at(2) + 1) is None
    assert tree.lookup("a", "b", at(1)).translation[0] == 1
    assert tree.lookup("a", "b", at(2)).translation[0] == 2


def test_wide_gaps_are_not_bridged_where_that_is_asked():
    tree = history([transform("a", "b", t, (t, 0, 0)) for t in (0, 1, 3)])
    assert tree.lookup("a", "b", at(2)).translation[0] == pytest.approx(2)
    assert tree.lookup("a", "b", at(2), max_gap_ns=SECOND) is None
    assert tree.lookup("a", "b", at(0.5), max_gap_ns=SECOND).translation[0] == 0.5
    assert tree.lookup("a", "b", at(3), max_gap_ns=SECOND).translation[0] == 3
    assert tree.tracks["b"].gaps(SECOND) == 1


def test_frames_are_joined_through_their_common_parent():
    """map → odom → base → camera and map → tag, against products written out by hand."""
    camera = transform("base", "/camera", 0, (0.1, 0.2, 0.3), turned(0.4))
    tree = history(
        [transform("odom", "base", t, *motion(t)) for t in (0, 1)],
        [
            camera,
            transform("map", "odom", 0, (5, 6, 7), turned(-1.1)),
            transform("/map", "tag", 0, (2, 0, 1), turned(2.0)),
        ],
    )
    translation, rotation = motion(0.3)
    map_from_base_R = turned(-1.1) @ rotation
    map_from_base_t = turned(-1.1) @ translation + [5, 6, 7]
    map_from_camera_R = map_from_base_R @ turned(0.4)
    map_from_camera_t = map_from_base_R @ [0.1, 0.2, 0.3] + map_from_base_t
    pose = tree.lookup("camera", "tag", at(0.3))
    np.testing.assert_allclose(pose.rotation, map_from_camera_R.T @ turned(2.0), atol=1e-9)
    np.testing.assert_allclose(
        pose.translation, map_from_camera_R.T @ ([2, 0, 1] - map_from_camera_t), atol=1e-9
    )
    back = tree.lookup("tag", "camera", at(0.3))
    np.testing.assert_allclose(back.matrix() @ pose.matrix(), np.eye(4), atol=1e-9)


def test_frames_below_a_link_that_is_not_known_are_still_joined():
    """What moves above the common parent has no say."""
    tree = history(
        [transform("map", "base", t, (t, 0, 0)) for t in (0, 1)],
        [transform("base", "camera", 0, (1, 0, 0)), transform("base", "tag", 0, (0, 1, 0))],
    )
    np.testing.assert_array_equal(tree.lookup("camera", "tag", at(9)).translation, [-1, 1, 0])
    assert tree.lookup("map", "tag", at(9)) is None
    assert tree.lookup("camera", "door", at(0)) is None
    np.testing.assert_array_equal(tree.lookup("tag", "tag", at(9)).matrix(), np.eye(4))


def test_stamps_may_come_in_any_order_and_the_first_of_equal_ones_holds():
    entries = [transform("a", "b", t, (t, 0, 0)) for t in (2, 0, 1)]
    tree = history([*entries, transform("a", "b", 1, (7, 0, 0))])
    assert tree.lookup("a", "b", at(0.5)).translation[0] == 0.5
    assert tree.lookup("a", "b", at(1)).translation[0] == 1


def test_the_last_static_transform_holds_always():
    tree = history([], [transform("a", "b", 5, (1, 0, 0)), transform("a", "b", 6, (2, 0, 0))])
    for seconds in (-100, 5, 100):
        assert tree.lookup("a", "b", at(seconds)).translation[0] == 2


def test_a_frame_that_changes_its_parent_is_not_interpolated_between_the_two():
    tree = history(
        [
            transform("a", "b", 0, (1, 0, 0)),
            transform("a", "b", 1, (1, 0, 0)),
            transform("c", "b", 2, (2, 0, 0)),
        ]
    )
    assert tree.lookup("a", "b", at(0.5)).translation[0] == 1
    assert tree.lookup("a", "b", at(1.5)) is None
    assert tree.lookup("c", "b", at(2)).translation[0] == 2


def test_transforms_that_are_none_are_counted_and_left_out():
    no_turn = transform("a", "b", 0, (0, 0, 0))
    no_turn.transform.rotation.w = 0.0
    bad = [
        no_turn,
        transform("a", "b", 1, (np.nan, 0, 0)),
        transform("b", "b", 2, (0, 0, 0)),
        transform("", "b", 3, (0, 0, 0)),
    ]
    tree = history(bad)
    assert tree.refused == 4
    assert tree.frames == frozenset()


def test_a_ring_of_frames_ends():
    ring = [transform("a", "b", 0, (1, 0, 0)), transform("b", "a", 0, (1, 0, 0))]
    assert history([], ring).lookup("a", "c", at(0)) is None


def test_what_does_not_lie_between_the_frames_asked_for_can_be_left_out():
    tree = history(
        [transform("odom", "base", t, *motion(t)) for t in (0, 1)],
        [
            transform("map", "odom", 0, (0, 0, 1)),
            transform("base", "camera", 0, (0, 1, 0)),
            transform("base", "arm", 0, (0, 2, 0)),
            transform("arm", "hand", 0, (0, 3, 0)),
            transform("map", "tag", 0, (1, 0, 0)),
        ],
    )
    kept = pickle.loads(pickle.dumps(tree.restricted_to(["tag", "/camera"])))
    assert kept.tracks.keys() == {"tag", "camera", "base", "odom"}
    for seconds in (0, 0.3, 1):
        np.testing.assert_array_equal(
            kept.lookup("camera", "tag", at(seconds)).matrix(),
            tree.lookup("camera", "tag", at(seconds)).matrix(),
        )


def test_a_part_in_time_answers_within_it_as_the_whole_does():
    stamps = np.linspace(0, 10, 101)
    tree = history([transform("odom", "base", t, *motion(t)) for t in stamps])
    part = tree.between(at(3.14), at(4.2))
    assert len(part.tracks["base"].stamps_ns) == 12
    for seconds in (3.14, 3.5, 4.15, 4.2):
        np.testing.assert_array_equal(
            part.lookup("odom", "base", at(seconds)).matrix(),
            tree.lookup("odom", "base", at(seconds)).matrix(),
        )
    assert part.lookup("odom", "base", at(5)) is None
    for first, last in ((-2, -1), (11, 12), (-1, 11)):
        part = tree.between(at(first), at(last))
        for seconds in (first, last):
            assert part.lookup("odom", "base", at(seconds)) is None
