# SPDX-License-Identifier: Apache-2.0
"""A ROS 1 bag reads as if ROS 2 had recorded it; the truth is rosbags' reading of ROS 1 itself."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from stn_perception.bags import BagError, BagReader, TopicQos
from stn_perception.bags.opening import camera_topics
from stn_perception.bags.typestore import header_stamp_ns

NOETIC = get_typestore(Stores.ROS1_NOETIC)
S = 1_000_000_000


def header(stamp_ns: int, frame_id: str = "lens"):
    time = NOETIC.types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, S))
    return NOETIC.types["std_msgs/msg/Header"](seq=77, stamp=time, frame_id=frame_id)


def image(stamp_ns: int, fill: int):
    return NOETIC.types["sensor_msgs/msg/Image"](
        header=header(stamp_ns), height=4, width=6, encoding="mono8", is_bigendian=0, step=6,
        data=np.full(24, fill, dtype=np.uint8),
    )  # fmt: skip


def camera_info(stamp_ns: int):
    return NOETIC.types["sensor_msgs/msg/CameraInfo"](
        header=header(stamp_ns), height=4, width=6, distortion_model="plumb_bob",
        D=np.arange(5.0), K=np.arange(9.0), R=np.eye(3).ravel(), P=np.arange(12.0),
        binning_x=0, binning_y=0,
        roi=NOETIC.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
    )  # fmt: skip


class Ros1Bag:
    """Writes messages of a type store into a ROS 1 bag."""

    def __init__(self, path: Path, store=NOETIC, compression=None) -> None:
        self.store, self.writer, self.connections = store, Writer(path), {}
        if compression:
            self.writer.set_compression(compression)

    def __enter__(self):
        self.writer.open()
        return self

    def __exit__(self, *error):
        self.writer.close()

    def write(self, topic: str, time_ns: int, message, latching=None) -> None:
        kind = message.__msgtype__
        if topic not in self.connections:
            self.connections[topic] = self.writer.add_connection(
                topic, kind, typestore=self.store, latching=latching
            )
        self.writer.write(
            self.connections[topic], time_ns, self.store.serialize_ros1(message, kind)
        )


@pytest.mark.parametrize("compression", [None, *Writer.CompressionFormat])
def test_pictures_and_calibration_keep_every_value_but_the_headers_seq(tmp_path, compression):
    with Ros1Bag(tmp_path / "a.bag", compression=compression) as bag:
        for index in range(50):
            bag.write("/camera/image", 100 * index, image(index * S + 5, index))
            bag.write("/camera/camera_info", 100 * index + 1, camera_info(index * S + 5))
    with BagReader(tmp_path / "a.bag") as reader, AnyReader([tmp_path / "a.bag"]) as truth:
        assert (reader.start_ns, reader.end_ns, reader.message_count) == (0, 4901, 100)
        assert camera_topics(reader).camera_info == "/camera/camera_info"
        for ours, (connection, time_ns, data) in zip(
            reader.messages(), truth.messages(), strict=True
        ):
            known = truth.deserialize(data, connection.msgtype)
            read = reader.deserialize(ours)
            assert (ours.topic, ours.time_ns) == (connection.topic, time_ns)
            assert header_stamp_ns(ours.data) == known.header.stamp.sec * S + 5
            assert read.header.frame_id == "lens" and not hasattr(read.header, "seq")
            if ours.topic == "/camera/image":
                assert np.array_equal(read.data, known.data) and read.encoding == "mono8"
            else:
                assert np.array_equal(read.p, known.P) and np.array_equal(read.d, known.D)


def test_a_span_of_time_begins_where_it_is_asked_for(tmp_path):
    with Ros1Bag(tmp_path / "a.bag") as bag:
        for index in range(20):
            bag.write("/image", index, image(index, index))
    with BagReader(tmp_path / "a.bag") as reader:
        span = [m.time_ns for m in reader.messages(["/image"], 7, 11)]
        assert span == [7, 8, 9, 10]
        assert list(reader.messages([])) == []


def test_a_missing_leading_slash_is_added_and_said(tmp_path):
    with Ros1Bag(tmp_path / "a.bag") as bag:
        bag.write("camera/image", 1, image(1, 1))
    with BagReader(tmp_path / "a.bag") as reader:
        assert list(reader.topics) == ["/camera/image"]
        assert reader.notes == (
            "the topic camera/image has no leading slash, it is read as /camera/image.",
        )


def test_a_latched_topic_is_offered_to_late_subscribers(tmp_path):
    with Ros1Bag(tmp_path / "a.bag") as bag:
        bag.write("/map/camera_info", 1, camera_info(1), latching=1)
        bag.write("/image", 1, image(1, 1), latching=0)
    with BagReader(tmp_path / "a.bag") as reader:
        assert reader.topics["/map/camera_info"].qos == (
            TopicQos("reliable", "transient_local", 1),
        )
        assert reader.topics["/image"].qos == (TopicQos(),)


def store_with(definition: str, name: str):
    store = get_typestore(Stores.ROS1_NOETIC)
    types = get_types_from_msg(definition, name)
    store.register({k: v for k, v in types.items() if k not in store.fielddefs})
    return store


def test_a_type_that_only_the_bag_defines_is_read(tmp_path):
    store = store_with("Header header\nint32[] id\ntime seen\nfloat64[2] size\n", "tags/msg/Tag")
    tag = store.types["tags/msg/Tag"](
        header=header(3 * S), id=np.array([7, 9], dtype=np.int32),
        seen=store.types["builtin_interfaces/msg/Time"](4, 5), size=np.array([0.1, 0.2]),
    )  # fmt: skip
    with Ros1Bag(tmp_path / "a.bag", store) as bag:
        bag.write("/tag", 1, tag)
    with BagReader(tmp_path / "a.bag") as reader:
        (message,) = reader.messages()
        read = reader.deserialize(message)
    assert message.type_name == "tags/msg/Tag"
    assert (read.id.tolist(), read.seen.nanosec, read.size.tolist()) == ([7, 9], 5, [0.1, 0.2])
    assert header_stamp_ns(message.data) == 3 * S


OLD_DETECTIONS = """Header header
Detection2D[] detections
================================================================================
MSG: vision_msgs/Detection2D
Header header
ObjectHypothesisWithPose[] results
BoundingBox2D bbox
sensor_msgs/Image source_img
================================================================================
MSG: vision_msgs/ObjectHypothesisWithPose
int64 id
float64 score
geometry_msgs/PoseWithCovariance pose
================================================================================
MSG: vision_msgs/BoundingBox2D
geometry_msgs/Pose2D center
float64 size_x
float64 size_y
"""


def test_detections_of_ros_1_become_detections_of_ros_2(tmp_path):
    name = "vision_msgs/msg/Detection2DArray"
    store = store_with(OLD_DETECTIONS, name)
    t = store.types
    pose = t["geometry_msgs/msg/Pose"](
        t["geometry_msgs/msg/Point"](1.0, 2.0, 3.0),
        t["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0),
    )
    result = t["vision_msgs/msg/ObjectHypothesisWithPose"](
        id=12, score=0.75,
        pose=t["geometry_msgs/msg/PoseWithCovariance"](pose, np.arange(36.0)),
    )  # fmt: skip
    box = t["vision_msgs/msg/BoundingBox2D"](
        t["geometry_msgs/msg/Pose2D"](x=10.0, y=20.0, theta=0.5), 30.0, 40.0
    )
    detection = t["vision_msgs/msg/Detection2D"](header(9), [result], box, image(9, 1))
    with Ros1Bag(tmp_path / "a.bag", store) as bag:
        bag.write("/boxes", 1, t[name](header(9), [detection, detection]))
    with BagReader(tmp_path / "a.bag") as reader:
        (message,) = reader.messages()
        read = reader.deserialize(message).detections[1]
        notes = reader.notes
    assert (read.bbox.center.position.x, read.bbox.center.position.y) == (10.0, 20.0)
    assert (read.bbox.center.theta, read.bbox.size_x, read.bbox.size_y) == (0.5, 30.0, 40.0)
    assert (read.results[0].hypothesis.class_id, read.results[0].hypothesis.score) == ("12", 0.75)
    assert read.results[0].pose.pose.position.z == 3.0 and read.id == ""
    assert read.results[0].pose.covariance.tolist() == list(range(36))
    assert notes == (
        f"{name} of ROS 1 has fields that {name} of ROS 2 has not, they are left out: "
        "detections.source_img.",
    )


def test_transforms_of_the_first_tf_are_those_of_today(tmp_path):
    store = store_with("geometry_msgs/TransformStamped[] transforms\n", "tf/msg/tfMessage")
    t = store.types
    transform = t["geometry_msgs/msg/TransformStamped"](
        header(8, "map"), "tag", t["geometry_msgs/msg/Transform"](
            t["geometry_msgs/msg/Vector3"](1.0, 2.0, 3.0),
            t["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0),
        ),
    )  # fmt: skip
    with Ros1Bag(tmp_path / "a.bag", store) as bag:
        bag.write("/tf", 1, t["tf/msg/tfMessage"]([transform]))
    with BagReader(tmp_path / "a.bag") as reader:
        (message,) = reader.messages()
        read = reader.deserialize(message).transforms[0]
    assert message.type_name == "tf2_msgs/msg/TFMessage"
    assert (read.header.frame_id, read.child_frame_id) == ("map", "tag")
    assert read.transform.translation.z == 3.0


def test_a_topic_with_an_unreadable_definition_is_left_out_and_said(tmp_path):
    with Writer(tmp_path / "a.bag") as writer:
        bad = writer.add_connection("/bad", "x_msgs/msg/X", msgdef="float64 [[ x", md5sum="0" * 32)
        good = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=NOETIC)
        writer.write(bad, 1, b"1234")
        writer.write(good, 2, NOETIC.serialize_ros1(image(1, 1), "sensor_msgs/msg/Image"))
    with BagReader(tmp_path / "a.bag") as reader:
        assert [m.topic for m in reader.messages()] == ["/image"]
        (note,) = reader.notes
    assert note.startswith("the topic /bad is left out, its type x_msgs/msg/X") and note[-1] == "."


def test_bytes_that_do_not_fit_their_definition_are_damage(tmp_path):
    with Writer(tmp_path / "a.bag") as writer:
        topic = writer.add_connection("/image", "sensor_msgs/msg/Image", typestore=NOETIC)
        writer.write(topic, 1, b"\1\2\3\4\5")
    with BagReader(tmp_path / "a.bag") as reader, pytest.raises(BagError, match="is damaged: "):
        list(reader.messages())


def test_what_is_no_ros_1_bag_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "letter.bag").write_text("dear sir\n")
    with pytest.raises(BagError, match=r"letter\.bag cannot be read: .*\.$") as refusal:
        BagReader(tmp_path / "letter.bag").__enter__()
    assert "\n" not in str(refusal.value)
