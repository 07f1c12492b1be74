# SPDX-License-Identifier: Apache-2.0
"""Message types are known without a ROS install, and stamps without decoding."""

import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory, TopicQos
from stn_perception.bags.qos import offer_for
from stn_perception.bags.typestore import (
    DEFINITIONS,
    ensure_type,
    header_stamp_ns,
    make_typestore,
    starts_with_header,
)

FACTORY = RosbagsFactory()


def test_the_stamp_is_read_from_the_serialized_bytes(tmp_path, write_bag):
    write_bag(tmp_path / "bag", count=3)
    with BagReader(tmp_path / "bag") as bag:
        stamps = [header_stamp_ns(m.data) for m in bag.messages(["/boxes"])]
        assert starts_with_header(bag.typestore, "vision_msgs/msg/Detection2DArray")
        assert not starts_with_header(bag.typestore, "std_msgs/msg/String")
    assert stamps == [5, 10**9 + 5, 2 * 10**9 + 5]


@pytest.mark.parametrize("data", [b"", b"\0\1\0\0", b"\0\1\0\0\1\0\0\0\1\0\0"])
def test_a_message_too_short_for_its_stamp_is_reported(data):
    with pytest.raises(BagError, match=f"{len(data)} bytes"):
        header_stamp_ns(data)


def test_a_type_is_found_in_an_installed_package(tmp_path):
    folder = tmp_path / "my_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Outer.msg").write_text("my_msgs/Inner[] inner\nstd_msgs/Header header\n")
    (folder / "Inner.msg").write_text("float64[3] values\n")
    store = make_typestore()
    ensure_type(store, "my_msgs/msg/Outer", [tmp_path])
    inner = store.types["my_msgs/msg/Inner"](values=np.array([1.0, 2.0, 3.0]))
    time = FACTORY.make("builtin_interfaces/msg/Time", sec=0, nanosec=3)
    header = FACTORY.make("std_msgs/msg/Header", stamp=time, frame_id="camera")
    data = store.serialize_cdr(
        store.types["my_msgs/msg/Outer"](inner=[inner], header=header), "my_msgs/msg/Outer"
    )
    assert store.deserialize_cdr(data, "my_msgs/msg/Outer").inner[0].values.tolist() == [1, 2, 3]
    with pytest.raises(BagError, match="install other_msgs"):
        ensure_type(store, "other_msgs/msg/Thing", [tmp_path])
    with pytest.raises(BagError, match="is no message type"):
        ensure_type(store, "../../etc/passwd", [tmp_path])


def test_a_bag_brings_the_definitions_of_its_own_types(tmp_path):
    folder = tmp_path / "share" / "my_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Weight.msg").write_text("float64 kilograms\n")
    store = make_typestore()
    ensure_type(store, "my_msgs/msg/Weight", [tmp_path / "share"])
    with BagWriter(tmp_path / "bag", typestore=store) as bag:
        bag.add_topic("/weight", "my_msgs/msg/Weight")
        bag.write_message("/weight", 1, store.types["my_msgs/msg/Weight"](kilograms=2.5))
    with BagReader(tmp_path / "bag") as bag:
        assert bag.deserialize(next(bag.messages())).kilograms == 2.5


def test_offers_are_repeated_or_made_to_suit_all():
    lossy, latched = TopicQos("best_effort"), TopicQos("reliable", "transient_local", 1)
    assert offer_for(()) == TopicQos()
    assert offer_for([lossy, lossy]) == lossy
    assert offer_for([lossy, latched]) == TopicQos("reliable", "transient_local", 10)


def test_the_vision_types_are_those_of_the_published_interface():
    assert {p.stem for p in (DEFINITIONS / "vision_msgs" / "msg").iterdir()} == {
        "BoundingBox2D",
        "Detection2D",
        "Detection2DArray",
        "ObjectHypothesis",
        "ObjectHypothesisWithPose",
        "Point2D",
        "Pose2D",
    }


def test_octets_and_floats_serialize_without_copies_by_element():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    octets = FACTORY.octets(image)
    assert np.shares_memory(octets, image)
    assert FACTORY.floats64([1, 2]).dtype == np.float64
