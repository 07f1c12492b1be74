# SPDX-License-Identifier: Apache-2.0
"""A topic of the bag says where objects are: boxes, or corners of fiducials."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from rosbags.typesys import get_types_from_msg

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory, make_typestore
from stn_perception.bags.truth import SeenFrame, load_truth, parse_truth
from stn_perception.geometry import AxisAlignedBox, OrientedBox
from stn_perception.messages import objects
from stn_perception.messages.factory import header

STAMP = 1_700_000_000_000_000_123
_SEPARATOR = "=" * 80
APRILTAGS = f"""std_msgs/Header header
apriltag_msgs/AprilTagDetection[] detections
{_SEPARATOR}
MSG: apriltag_msgs/AprilTagDetection
string family
int32 id
apriltag_msgs/Point[4] corners
{_SEPARATOR}
MSG: apriltag_msgs/Point
float64 x
float64 y
"""
MARKERS = f"""std_msgs/Header header
my_msgs/Marker[] markers
{_SEPARATOR}
MSG: my_msgs/Marker
string id
string class_id
float32[8] corners
"""


class Recording:
    """A bag with one topic of truth."""

    def __init__(self, folder) -> None:
        self.path = folder / "bag"
        self.store = make_typestore()
        for text, name in (
            (APRILTAGS, "apriltag_msgs/msg/AprilTagDetectionArray"),
            (MARKERS, "my_msgs/msg/MarkerArray"),
        ):
            self.store.register(get_types_from_msg(text, name))
        self.factory = RosbagsFactory(self.store)

    def head(self, stamp_ns: int = STAMP, frame_id: str = "camera"):
        return header(self.factory, stamp_ns, frame_id)

    def write(self, *messages, topic: str = "/camera/truth") -> None:
        with BagWriter(self.path, typestore=self.store) as bag:
            for message in messages:
                bag.add_topic(topic, message.__msgtype__)
                bag.write_message(topic, 1, message)

    def boxes(self, *boxes, stamp_ns: int = STAMP, frame_id: str = "camera"):
        head = self.head(stamp_ns, frame_id)
        listed = [
            objects.detection(self.factory, head, box, id=name, class_id="stop")
            for name, box in boxes
        ]
        return objects.detection_array(self.factory, head, listed)

    def apriltags(self, number: int, corners):
        point = [self.factory.make("apriltag_msgs/msg/Point", x=x, y=y) for x, y in corners]
        tag = self.factory.make(
            "apriltag_msgs/msg/AprilTagDetection", family="tag36h11", id=number, corners=point
        )
        return self.factory.make(
            "apriltag_msgs/msg/AprilTagDetectionArray", header=self.head(), detections=[tag]
        )

    def marker(self, name: str, corners):
        numbers = np.asarray(corners, dtype=np.float32).ravel()
        marker = self.factory.make("my_msgs/msg/Marker", id=name, class_id="door", corners=numbers)
        return self.factory.make("my_msgs/msg/MarkerArray", header=self.head(), markers=[marker])

    def truth(self, text: str = "topic:/camera/truth", camera: str = "camera"):
        with BagReader(self.path) as reader:
            return load_truth(parse_truth(text), reader, camera)


@pytest.fixture
def recording(tmp_path):
    return Recording(tmp_path)


def seen(stamp_ns: int = STAMP, frame_id: str = "camera") -> SeenFrame:
    return SeenFrame("camera", stamp_ns, frame_id, 640, 480)


def test_a_turned_box_gives_its_own_corners(recording):
    # Turned by a right angle clockwise, the box's own top-left corner lies at the top right.
    turned = OrientedBox(100, 50, 40, 20, np.pi / 2)
    recording.write(recording.boxes(("a", turned), ("b", AxisAlignedBox(10, 20, 4, 6))))
    a, b = recording.truth().objects(seen())
    assert (a.id, a.class_id, a.symmetry) == ("a", "stop", 1)
    np.testing.assert_allclose(a.corners, [[110, 30], [110, 70], [90, 70], [90, 30]], atol=1e-9)
    np.testing.assert_allclose(b.corners, [[8, 17], [12, 17], [12, 23], [8, 23]], atol=1e-9)
    b = recording.truth("topic:/camera/truth;pixel_origin=edge").objects(seen())[1]
    np.testing.assert_allclose(b.corners[0], [7.5, 16.5], atol=1e-9)


def test_what_the_apriltag_library_finds_is_turned_to_our_order(
    recording, tag_picture, tag_pose, april_tag, tag_detector
):
    """A tag drawn upside down to upright, found by the library itself and sent as it found it."""
    number, cells = april_tag
    for turn_rad in (0.0, 0.7, 2.5, -1.8):
        picture = tag_picture()
        true = picture.draw(cells, tag_pose(300, 200, 120, turn_rad, (0.5, -0.3)))
        (found,) = tag_detector.detect(picture.seen())
        assert found.tag_id == number
        recording.write(recording.apriltags(number, found.corners.tolist()))
        (tag,) = recording.truth().objects(seen())
        assert (tag.id, tag.class_id) == ("tag_5", "tag36h11")
        assert np.linalg.norm(tag.corners - true, axis=1).max() < 0.35
        # The library is right on the average, so that half a pixel of offset would show.
        assert np.abs((tag.corners - true).mean(axis=0)).max() < 0.15
        recording.path.rename(recording.path.with_name(f"bag_{turn_rad}"))


def test_other_lists_of_corners_are_clockwise_from_the_top_left(recording):
    corners = [[10, 20], [50, 22], [48, 60], [9, 61]]
    recording.write(recording.marker("left_door", corners))
    (door,) = recording.truth().objects(seen())
    assert (door.id, door.class_id) == ("left_door", "door")
    np.testing.assert_array_equal(door.corners, corners)


def test_order_and_origin_of_corners_may_be_said(recording):
    top_left, top_right, bottom_right, bottom_left = [10, 20], [50, 22], [48, 60], [9, 61]
    recording.write(recording.marker("door", [bottom_left, bottom_right, top_right, top_left]))
    as_is = recording.truth()
    assert as_is.objects(seen()) == ()
    (sentence,) = as_is.sentences
    assert sentence.startswith("1 truths on /camera/truth were not used, the first: 'door' has")
    assert "corner_order" in sentence
    turned = recording.truth("topic:/camera/truth;corner_order=apriltag;pixel_origin=edge")
    (door,) = turned.objects(seen())
    np.testing.assert_array_equal(
        door.corners, np.array([top_left, top_right, bottom_right, bottom_left]) - 0.5
    )


def test_only_the_very_stamp_counts_unless_a_tolerance_is_given(recording):
    box = AxisAlignedBox(10, 20, 4, 6)
    recording.write(
        recording.boxes(("first", box)), recording.boxes(("second", box), stamp_ns=STAMP + 1000)
    )
    exact = recording.truth()
    assert [o.id for o in exact.objects(seen())] == ["first"]
    assert exact.objects(seen(STAMP + 1)) == ()
    near = recording.truth("topic:/camera/truth;tolerance_s=1e-6")
    assert [o.id for o in near.objects(seen(STAMP + 499))] == ["first"]
    assert [o.id for o in near.objects(seen(STAMP + 501))] == ["second"]
    assert near.objects(seen(STAMP + 2001)) == ()


def test_cameras_on_one_topic_are_told_apart_by_their_frame(recording):
    box = AxisAlignedBox(10, 20, 4, 6)
    recording.write(
        recording.boxes(("left", box), frame_id="left_optical"),
        recording.boxes(("right", box), frame_id="right_optical"),
    )
    truth = pickle.loads(pickle.dumps(recording.truth()))
    assert [o.id for o in truth.objects(seen(frame_id="left_optical"))] == ["left"]
    assert [o.id for o in truth.objects(seen(frame_id="right_optical"))] == ["right"]
    assert truth.objects(seen(frame_id="rear_optical")) == ()


def test_the_camera_s_name_may_stand_in_the_topic(recording):
    recording.write(recording.boxes(("a", AxisAlignedBox(10, 20, 4, 6))), topic="/left/truth")
    text = "topic:/{camera}/truth"
    assert len(recording.truth(text, camera="left").objects(seen())) == 1
    with pytest.raises(BagError, match=r"has no topic /right/truth for the truth, it has /left"):
        recording.truth(text, camera="right")


def test_boxes_that_are_none_are_counted(recording):
    recording.write(
        recording.boxes(
            ("good", AxisAlignedBox(10, 20, 4, 6)),
            ("flat", AxisAlignedBox(10, 20, 0, 6)),
            ("nan", AxisAlignedBox(np.nan, 20, 1, 6)),
        )
    )
    truth = recording.truth()
    assert [o.id for o in truth.objects(seen())] == ["good"]
    assert truth.sentences == (
        "2 truths on /camera/truth were not used, the first: detection 1: the box is 0.0 × 6.0: "
        "it has no area.",
    )


def test_a_type_that_says_nothing_of_the_kind_is_named(recording):
    words = recording.factory.make("std_msgs/msg/String", data="three signs")
    poses = recording.factory.make(
        "geometry_msgs/msg/PoseArray", header=recording.head(), poses=[]
    )
    for message in (words, poses):
        recording.write(message)
        with pytest.raises(BagError, match=f"/camera/truth holds {message.__msgtype__}, expected"):
            recording.truth()
        recording.path.rename(recording.path.with_name(message.__msgtype__.replace("/", "_")))


def test_a_fiducial_has_four_corners():
    from stn_perception.bags.truth.corner_messages import CornerList

    listing = CornerList("markers", "clockwise", "center")
    with pytest.raises(ValueError, match="3 corner values"):
        listing.true_object(SimpleNamespace(id=1, corners=[1, 2, 3]))
