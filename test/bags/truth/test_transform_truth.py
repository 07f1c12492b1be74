# SPDX-License-Identifier: Apache-2.0
"""Objects whose frames are in TF are seen where a pinhole camera sees them."""

import pickle

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.truth import SeenFrame, load_truth, parse_truth
from stn_perception.geometry import PinholeIntrinsics
from stn_perception.messages.factory import header
from stn_perception.messages.transforms import tf_message, transform_stamped

FACTORY = RosbagsFactory()
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
OPTICAL = "camera_optical"
K = np.array([[500.0, 0, 320.25], [0, 510, 239.5], [0, 0, 1]])
SIZE = (0.4, 0.2)
STAMPS_S = tuple(np.arange(0, 2.01, 0.1))
# Optical axes (x right, y down, z forward) of a camera that looks along its robot's x (z up).
BASE_FROM_OPTICAL = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])


def turned(vector) -> np.ndarray:
    return cv2.Rodrigues(np.array(vector, dtype=float))[0]


# A sign two metres ahead of the start, facing the camera askew; its own x is right, its y down.
MAP_FROM_SIGN = turned([0, 0, 0.4]) @ turned([0, 0.3, 0]) @ BASE_FROM_OPTICAL
SIGN_IN_MAP = np.array([2.0, 0.1, 0.2])


def base_pose(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """A steady drive: forward, and turning left."""
    return turned([0, 0, 0.15 * seconds]), np.array([0.3 * seconds, 0.05 * seconds, 0.0])


def transform(parent: str, child: str, stamp_ns: int, rotation, translation):
    head = header(FACTORY, stamp_ns, parent)
    return transform_stamped(FACTORY, head, child, rotation, translation)


def camera_info(stamp_ns: int):
    region = FACTORY.make(
        "sensor_msgs/msg/RegionOfInterest",
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False,
    )  # fmt: skip
    P = np.column_stack([K, np.zeros(3)])
    return FACTORY.make(
        "sensor_msgs/msg/CameraInfo",
        header=header(FACTORY, stamp_ns, OPTICAL),
        height=480, width=640, distortion_model="plumb_bob", d=np.zeros(0), k=K.ravel(),
        r=np.eye(3).ravel(), p=P.ravel(), binning_x=0, binning_y=0, roi=region,
    )  # fmt: skip


def record(path, stamps_s=STAMPS_S, with_info=True, signs=("sign",)):
    with BagWriter(path) as bag:
        bag.add_topic("/tf", "tf2_msgs/msg/TFMessage")
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage")
        mounted = transform("base", OPTICAL, START, BASE_FROM_OPTICAL, (0.1, 0, 0.25))
        fixed = [transform("map", name, START, MAP_FROM_SIGN, SIGN_IN_MAP) for name in signs]
        bag.write_message("/tf_static", START, tf_message(FACTORY, [mounted, *fixed]))
        for seconds in stamps_s:
            stamp_ns = START + round(seconds * SECOND)
            base = transform("map", "base", stamp_ns, *base_pose(seconds))
            wheel = transform("base", "wheel", stamp_ns, turned([0, seconds, 0]), (0, 0, 0))
            bag.write_message("/tf", stamp_ns, tf_message(FACTORY, [base, wheel]))
        if with_info:
            bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
            bag.write_message("/camera/camera_info", START, camera_info(START))
    return path


def truth_of(path, text="tf:sign=0.4,0.2"):
    with BagReader(path) as reader:
        return load_truth(parse_truth(text), reader, "camera")


def seen(seconds: float, intrinsics=True) -> SeenFrame:
    camera = PinholeIntrinsics(K, width=640, height=480, frame_id=OPTICAL)
    stamp_ns = START + round(seconds * SECOND)
    return SeenFrame("camera", stamp_ns, OPTICAL, 640, 480, None, camera if intrinsics else None)


def expected(seconds: float) -> np.ndarray:
    """Pixels of the sign's corners by the motion itself, through OpenCV's projection."""
    width, height = SIZE
    corners = np.array(
        [[-width, -height, 0], [width, -height, 0], [width, height, 0], [-width, height, 0]]
    )
    in_map = corners / 2 @ MAP_FROM_SIGN.T + SIGN_IN_MAP
    rotation, translation = base_pose(seconds)
    map_from_optical = rotation @ BASE_FROM_OPTICAL
    camera_in_map = rotation @ [0.1, 0, 0.25] + translation
    turn = cv2.Rodrigues(map_from_optical.T)[0]
    pixels, _ = cv2.projectPoints(in_map, turn, -map_from_optical.T @ camera_in_map, K, None)
    return pixels.reshape(4, 2)


@pytest.mark.parametrize("seconds", [0.0, 0.123456789, 0.95, 2.0])
def test_corners_are_the_projection_of_the_moving_camera(tmp_path, seconds):
    truth = truth_of(record(tmp_path / "bag"))
    assert not truth.needs_pixels
    (sign,) = truth.objects(seen(seconds))
    assert (sign.id, sign.class_id, sign.symmetry) == ("sign", "", 1)
    np.testing.assert_allclose(sign.corners, expected(seconds), atol=1e-4)


def test_nothing_is_true_outside_the_recorded_transforms(tmp_path):
    truth = truth_of(record(tmp_path / "bag"))
    assert truth.objects(seen(-0.001)) == ()
    assert truth.objects(seen(2.001)) == ()
    assert truth.objects(seen(1.0, intrinsics=False)) == ()


def test_gaps_are_named_and_not_bridged(tmp_path):
    stamps = [*np.arange(0, 0.51, 0.1), *np.arange(1.2, 2.01, 0.1)]
    path = record(tmp_path / "bag", stamps)
    truth = truth_of(path)
    assert truth.sentences == (
        "TF has gaps of more than 0.5 s in the frame base (1), no truth in them.",
    )
    assert truth.objects(seen(0.8)) == ()
    assert len(truth.objects(seen(1.25))) == 1
    wide = truth_of(path, "tf:sign=0.4,0.2;max_gap_s=1")
    np.testing.assert_allclose(wide.objects(seen(0.8))[0].corners, expected(0.8), atol=1e-3)


def test_only_what_the_projection_needs_travels_to_the_workers(tmp_path):
    truth = truth_of(record(tmp_path / "bag", signs=("sign", "other")))
    assert truth.history.tracks.keys() == {"base", OPTICAL, "sign"}
    (again,) = pickle.loads(pickle.dumps(truth)).objects(seen(0.5))
    np.testing.assert_array_equal(again.corners, truth.objects(seen(0.5))[0].corners)


def test_a_part_has_the_transforms_of_its_time(tmp_path):
    whole = truth_of(record(tmp_path / "bag"))
    part = whole.part(seen(0.42).stamp_ns, seen(0.61).stamp_ns)
    assert len(part.history.tracks["base"].stamps_ns) == 4
    for seconds in (0.42, 0.55, 0.61):
        (expected_sign,), (sign,) = whole.objects(seen(seconds)), part.objects(seen(seconds))
        np.testing.assert_array_equal(sign.corners, expected_sign.corners)
    assert part.objects(seen(1.0)) == ()


def with_sign_at(tmp_path, rotation, translation):
    """A camera at rest in the map's origin looking along its z, and a sign in its own axes."""
    path = tmp_path / "bag"
    with BagWriter(path) as bag:
        bag.add_topic("/tf_static", "tf2_msgs/msg/TFMessage")
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        sign = transform(OPTICAL, "sign", START, rotation, translation)
        bag.write_message("/tf_static", START, tf_message(FACTORY, [sign]))
        bag.write_message("/camera/camera_info", START, camera_info(START))
    return path


def test_what_is_behind_the_camera_or_turned_away_is_not_seen(tmp_path):
    behind = with_sign_at(tmp_path / "behind", np.eye(3), (0, 0, -2))
    assert truth_of(behind).objects(seen(0)) == ()
    away = with_sign_at(tmp_path / "away", turned([0, np.pi, 0]), (0, 0, 2))
    assert truth_of(away).objects(seen(0)) == ()


def test_an_object_half_out_of_the_frame_is_just_still_seen(tmp_path):
    """At 2 m the frame's right edge, pixel 639.5, lies at x = 1.277 m."""
    edge = (639.5 - K[0, 2]) / K[0, 0] * 2
    for name, x, count in (("in", edge - 0.01, 1), ("out", edge + 0.01, 0)):
        path = with_sign_at(tmp_path / name, np.eye(3), (x, 0, 2))
        assert len(truth_of(path).objects(seen(0))) == count


def test_frames_with_y_up_and_z_to_the_viewer_are_read_when_that_is_said(tmp_path):
    upright = turned([np.pi, 0, 0]) @ turned([0, 0, 0.2])
    path = with_sign_at(tmp_path, upright, (0, 0, 2))
    assert truth_of(path).objects(seen(0)) == ()
    (sign,) = truth_of(path, "tf:sign=0.4,0.2;axes=right_up").objects(seen(0))
    corners = np.array([[-0.2, 0.1, 0], [0.2, 0.1, 0], [0.2, -0.1, 0], [-0.2, -0.1, 0]])
    in_optical = corners @ upright.T + [0, 0, 2]
    pixels = in_optical @ K.T
    np.testing.assert_allclose(sign.corners, pixels[:, :2] / pixels[:, 2:], atol=1e-9)


def test_what_is_missing_is_said(tmp_path):
    path = record(tmp_path / "bag")
    with pytest.raises(BagError, match="has no frame door, its TF has base, camera_optical, map"):
        truth_of(path, "tf:door=1,2")
    both = truth_of(path, "tf:door=1,2;sign=0.4,0.2")
    assert both.sentences == ("TF has no frame door, so no truth of it.",)
    assert len(both.objects(seen(1))) == 1
    with pytest.raises(BagError, match="has no sensor_msgs/msg/CameraInfo"):
        truth_of(record(tmp_path / "blind", with_info=False))
    with BagWriter(tmp_path / "still") as bag:
        bag.add_topic("/camera/camera_info", "sensor_msgs/msg/CameraInfo")
        bag.write_message("/camera/camera_info", START, camera_info(START))
    with pytest.raises(BagError, match="has no TF, expected topics of tf2_msgs/msg/TFMessage"):
        truth_of(tmp_path / "still")
