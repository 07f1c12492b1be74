# SPDX-License-Identifier: Apache-2.0
"""A camera's topics are found by name, else by type; nothing is guessed."""

import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.opening import CameraTopics, camera_topics, image_topics

FACTORY = RosbagsFactory()
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
INFO, BOXES = "sensor_msgs/msg/CameraInfo", "vision_msgs/msg/Detection2DArray"


def message(kind: str, encoding: str):
    stamp = FACTORY.make("builtin_interfaces/msg/Time", sec=0, nanosec=0)
    header = FACTORY.make("std_msgs/msg/Header", stamp=stamp, frame_id="camera")
    octets = np.zeros(8, dtype=np.uint8)
    if kind == IMAGE:
        return FACTORY.make(
            kind, header=header, height=1, width=2, encoding=encoding, is_bigendian=0, step=8,
            data=octets,
        )  # fmt: skip
    if kind == COMPRESSED:
        return FACTORY.make(kind, header=header, format=encoding, data=octets)
    if kind == BOXES:
        return FACTORY.make(kind, header=header, detections=[])
    return None


@pytest.fixture
def bag(tmp_path):
    """Write one message on each of some topics; a type may come with an encoding or format."""

    def write(topics: dict) -> BagReader:
        with BagWriter(tmp_path / "bag") as writer:
            for name, kind in topics.items():
                kind, encoding = kind if isinstance(kind, tuple) else (kind, "rgb8")
                writer.add_topic(name, kind)
                content = message(kind, encoding)
                if content is None:  # nothing looks into it
                    writer.write(name, 1, b"\0\1\0\0" + bytes(400))
                else:
                    writer.write_message(name, 1, content)
        return BagReader(tmp_path / "bag")

    return write


def test_the_rule_of_names_finds_each_of_two_cameras(bag):
    topics = {}
    for side in ("left", "right"):
        topics |= {f"/{side}/image": IMAGE, f"/{side}/camera_info": INFO}
        topics |= {f"/{side}/detections": BOXES, f"/{side}/depth": (IMAGE, "16UC1")}
    with bag(topics) as reader:
        for side in ("left", "right"):
            assert camera_topics(reader, f"/{side}/image") == CameraTopics(
                side, f"/{side}/image", False, f"/{side}/camera_info", f"/{side}/detections",
                f"/{side}/depth",
            )  # fmt: skip


def test_a_compressed_image_is_taken_where_the_raw_one_was_not_recorded(bag):
    topics = {"/robot/front/image_raw/compressed": (COMPRESSED, "rgb8; jpeg compressed bgr8")}
    with bag({**topics, "/robot/front/camera_info": INFO}) as reader:
        assert camera_topics(reader) == CameraTopics(
            "robot/front", "/robot/front/image_raw/compressed", True, "/robot/front/camera_info"
        )


def test_the_raw_one_of_two_forms_is_read_and_the_other_may_be_named(bag):
    with bag({"/a/image": IMAGE, "/a/image/compressed": (COMPRESSED, "jpeg")}) as reader:
        assert camera_topics(reader).image == "/a/image"
        assert camera_topics(reader, "/a/image/compressed").compressed


def test_topics_that_break_the_rule_are_found_by_type(bag):
    with bag({"/pictures": IMAGE, "/lens": INFO, "/boxes": BOXES}) as reader:
        assert camera_topics(reader) == CameraTopics(
            "pictures", "/pictures", False, "/lens", "/boxes"
        )


def test_nothing_is_taken_from_beside_another_camera(bag):
    topics = {"/a/image": IMAGE, "/b/image": IMAGE, "/b/camera_info": INFO, "/b/detections": BOXES}
    with bag(topics) as reader:
        assert camera_topics(reader, "/a/image") == CameraTopics("a", "/a/image", False)


def test_several_that_fit_are_listed_and_a_name_is_asked_for(bag):
    with bag({"/a/image": IMAGE, "/b/image": IMAGE, "/x": BOXES, "/y": BOXES}) as reader:
        with pytest.raises(BagError, match=r"several image topics, name one of /a/image, /b/i"):
            camera_topics(reader)
        with pytest.raises(BagError, match=r"several detections topics, name one of /x, /y\."):
            camera_topics(reader, "/a/image")
        assert camera_topics(reader, "/a/image", "/y").detections == "/y"
        assert camera_topics(reader, "/a/image", "").detections is None


def test_a_wrong_name_is_answered_with_what_is_there(bag):
    with bag({"/a/image": IMAGE, "/boxes": BOXES}) as reader:
        with pytest.raises(BagError, match=r"no topic /b/image, it has /a/image, /boxes\."):
            camera_topics(reader, "/b/image")
        with pytest.raises(BagError, match=r"/boxes in .* expected images \(/a/image\)\."):
            camera_topics(reader, "/boxes")
        with pytest.raises(BagError, match=r"/a/image in .* expected vision_msgs"):
            camera_topics(reader, None, "/a/image")


def test_a_recording_without_images_says_what_it_has(bag):
    with bag({"/boxes": BOXES}) as reader, pytest.raises(BagError, match="no images, it has /bo"):
        camera_topics(reader)


def test_depth_is_told_by_the_encoding_and_not_by_the_name(bag):
    topics = {
        "/in_depth/image": IMAGE,
        "/stereo/range": (IMAGE, "32FC1"),
        "/stereo/depth": (IMAGE, "mono16"),
        "/stereo/range/compressedDepth": (COMPRESSED, "16UC1; compressedDepth png"),
    }
    with bag(topics) as reader:
        assert [topic.name for topic in image_topics(reader)] == ["/in_depth/image"]


def test_sixteen_bits_are_a_picture_where_there_is_no_other(bag):
    with bag({"/thermal/image": (IMAGE, "16UC1")}) as reader:
        assert camera_topics(reader).image == "/thermal/image"


def test_an_image_that_does_not_read_still_counts_as_an_image(bag):
    with bag({"/a/image": IMAGE}) as reader:
        pass
    with BagWriter(reader.path, overwrite=True) as writer:
        writer.add_topic("/a/image", IMAGE)
        writer.write("/a/image", 1, b"\0\1\0\0\1")
    with BagReader(reader.path) as reader:
        assert camera_topics(reader).image == "/a/image"
