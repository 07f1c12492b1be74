# SPDX-License-Identifier: Apache-2.0
"""A recording is read as it is, or refused in one sentence."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter, RosbagsFactory
from stn_perception.geometry import AxisAlignedBox
from stn_perception.messages.factory import header
from stn_perception.messages.images import encode_image
from stn_perception.messages.objects import detection, detection_array
from stn_perception.training.own_bag.bag_reading import read_bag
from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.own_bag.crop_pool import cut_patch
from stn_perception.training.own_bag.errors import OwnBagError
from stn_perception.training.own_bag.reading import read_own_crops
from stn_perception.training.own_bag.warps import cut_upright

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
BOXES = "vision_msgs/msg/Detection2DArray"


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 255, (60, 80, 3), dtype=np.uint8)


class Recording:
    """Writes frames 0.1 s apart: ``with Recording(path) as r: r.raw(0); r.boxes(0, ...)``."""

    def __init__(self, path: Path) -> None:
        self.bag = BagWriter(path)

    def __enter__(self) -> "Recording":
        self.bag.__enter__()
        self.factory = RosbagsFactory(self.bag.typestore)
        return self

    def __exit__(self, *error) -> None:
        self.bag.__exit__(*error)

    def head(self, index: int, late_s: float = 0.0):
        return header(self.factory, index * 10**8 + int(late_s * 1e9), "camera")

    def write(self, topic: str, type_name: str, index: int, message) -> None:
        self.bag.add_topic(topic, type_name)
        self.bag.write_message(topic, index * 10**8 + 1, message)

    def raw(self, index: int, topic: str = "/camera/image") -> None:
        message = encode_image(self.factory, self.head(index), picture(index), "bgr")
        self.write(topic, IMAGE, index, message)

    def compressed(self, index: int, data: bytes = b"", topic: str = "/camera/image") -> None:
        octets = np.frombuffer(data or cv2.imencode(".png", picture(index))[1].tobytes(), np.uint8)
        message = self.factory.make(
            COMPRESSED, header=self.head(index), format="png", data=self.factory.octets(octets)
        )
        self.write(topic, COMPRESSED, index, message)

    def boxes(
        self, index: int, late_s: float = 0.0, class_id: str = "mug", count: int = 1
    ) -> None:
        head = self.head(index, late_s)
        box = AxisAlignedBox(40.0, 30.0, 20.0, 24.0)
        found = [
            detection(self.factory, head, box, id=f"a{i}", class_id=class_id) for i in range(count)
        ]
        self.write("/detections", BOXES, index, detection_array(self.factory, head, found))

    def camera_info_only(self) -> None:
        text = self.factory.make("std_msgs/msg/String", data="nothing to see")
        self.write("/words", "std_msgs/msg/String", 0, text)


def config(path: Path, **fields) -> BagConfig:
    return BagConfig(path=path, **fields)


def test_raw_and_compressed_images_give_the_same_crops(tmp_path: Path) -> None:
    with Recording(tmp_path / "raw") as raw, Recording(tmp_path / "packed") as packed:
        for index in range(3):
            for recording, write in ((raw, raw.raw), (packed, packed.compressed)):
                write(index)
                recording.boxes(index)
    first, report = read_bag(config(tmp_path / "raw"), 96)
    second, _ = read_bag(config(tmp_path / "packed"), 96)
    assert [p.stamp_ns for p in first] == [0, 10**8, 2 * 10**8]
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.pixels, b.pixels)
    assert "3 crops kept of 3 (/camera/image, boxes of /detections)" in report.sentence()


def test_boxes_belong_to_the_frame_of_their_stamp(tmp_path: Path) -> None:
    with Recording(tmp_path / "bag") as recording:
        for index in range(4):
            recording.raw(index)
        recording.boxes(0)
        recording.boxes(1, late_s=0.015)
        recording.boxes(2, late_s=0.04)
    patches, report = read_bag(config(tmp_path / "bag"), 96)
    assert [p.stamp_ns for p in patches] == [0, 10**8]
    assert report.without_boxes == 2
    assert "2 of 4 frames have no boxes" in report.sentence()


def test_without_detections_the_whole_frame_is_taken(tmp_path: Path) -> None:
    with Recording(tmp_path / "bag") as recording:
        recording.raw(0)
    (patch,), report = read_bag(config(tmp_path / "bag", box_margin=1.0, context=1.0), 80)
    assert report.detections_topic == ""
    assert patch.half_size == pytest.approx([1.0, 0.75])


def test_whole_frames_can_be_asked_for(tmp_path: Path) -> None:
    with Recording(tmp_path / "bag") as recording:
        recording.raw(0)
        recording.boxes(0, count=2)
    assert len(read_bag(config(tmp_path / "bag"), 96)[0]) == 2
    assert len(read_bag(config(tmp_path / "bag", detections="full_frame"), 96)[0]) == 1


def test_many_crops_are_thinned_evenly(tmp_path: Path) -> None:
    with Recording(tmp_path / "bag") as recording:
        for index in range(22):
            recording.raw(index)
    patches, report = read_bag(config(tmp_path / "bag", max_crops=8), 96)
    steps = np.diff([p.stamp_ns for p in patches]) // 10**8
    assert len(patches) == 8 and patches[-1].stamp_ns == 21 * 10**8
    assert set(steps.tolist()) == {3}
    assert "8 crops kept of 22" in report.sentence()


def test_unreadable_frames_are_counted(tmp_path: Path) -> None:
    with Recording(tmp_path / "bag") as recording:
        recording.compressed(0)
        recording.compressed(1, b"no picture")
    patches, report = read_bag(config(tmp_path / "bag"), 96)
    assert len(patches) == 1
    assert "1 frames unreadable (" in report.sentence()


def test_a_crop_of_a_patch_is_the_crop_of_the_frame(made_bag: Path) -> None:
    y, x = np.mgrid[0:200, 0:300]
    frame = (127 + 60 * np.sin(x / 9) + 60 * np.cos(y / 11)).astype(np.uint8)
    box = AxisAlignedBox(150.0, 90.0, 70.0, 40.0)
    patch, half_size = cut_patch(frame, box, 1.5 * 1.7, 164)
    again = cut_upright(patch, np.eye(3), 1.7, 64)
    direct, _ = cut_patch(frame, box, 1.5, 64)
    assert np.abs(again.astype(float) - direct)[2:-2, 2:-2].max() < 8
    assert half_size * 1.7 * 1.5 == pytest.approx([1.0, 40 / 70])


def test_every_fifth_crop_is_kept_from_training(made_bag: Path, config_of) -> None:
    crops = read_own_crops(config_of(made_bag, 1, 1))
    assert len(crops.training) == 160 and len(crops.held_out) == 40
    assert not set(crops.training.stamps_ns) & set(crops.held_out.stamps_ns)


def refusals(tmp_path: Path) -> dict[str, tuple[Path, dict, str]]:
    """What each recording lacks, and what is said of it."""
    for name in ("nothing", "two", "boxes", "few", "broken"):
        with Recording(tmp_path / name) as recording:
            if name == "nothing":
                recording.camera_info_only()
            for index in range(3 if name in ("two", "boxes", "few") else 0):
                recording.raw(index)
            if name == "two":
                recording.raw(0, "/rear/image")
            if name == "boxes":
                recording.boxes(0)
            if name == "broken":
                recording.compressed(0, b"no picture")
                recording.compressed(1, b"neither")
    (tmp_path / "folder").mkdir()
    return {
        "missing": (tmp_path / "no.mcap", {}, "there is no bag at"),
        "no bag": (tmp_path / "folder", {}, "is not a bag"),
        "no images": (tmp_path / "nothing", {}, "holds no images, it has /words"),
        "absent topic": (tmp_path / "few", {"topic": "/x"}, "no topic /x, it has /camera/image"),
        "several": (tmp_path / "two", {}, "name one of /camera/image, /rear/image"),
        "absent boxes": (tmp_path / "few", {"detections": "/x"}, "no topic /x"),
        "no boxes": (
            tmp_path / "few",
            {"detections": "/camera/image"},
            "holds sensor_msgs/msg/Image, expected vision_msgs/msg/Detection2DArray",
        ),
        "other object": (tmp_path / "boxes", {"only": "cup"}, "no usable box of 'cup'"),
        "unreadable": (tmp_path / "broken", {}, "none of the 2 frames of /camera/image"),
        "too few": (tmp_path / "few", {}, "gives 3 crops, expected at least 8"),
    }


def test_what_cannot_be_trained_on_is_refused_in_one_sentence(tmp_path: Path, config_of) -> None:
    for name, (path, fields, expected) in refusals(tmp_path).items():
        with pytest.raises(OwnBagError) as caught:
            read_own_crops(config_of(path, 1, 1, bag=fields))
        assert expected in str(caught.value), (name, str(caught.value))
        assert "\n" not in str(caught.value)


def test_an_empty_bag_is_refused(tmp_path: Path, config_of) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer

    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP):
        pass
    with pytest.raises(OwnBagError, match="holds no messages"):
        read_own_crops(config_of(tmp_path / "bag", 1, 1))


def test_a_class_with_one_sample_is_refused(tmp_path: Path, config_of) -> None:
    with Recording(tmp_path / "bag") as recording:
        for index in range(12):
            recording.raw(index)
            recording.boxes(index, class_id="cup" if index == 5 else "mug")
    run = config_of(
        tmp_path / "bag",
        1,
        1,
        bag={"class_names": ["cup", "mug"]},
        unsupervised={"classes": 1.0},
    )
    with pytest.raises(OwnBagError, match=r"the class 'cup' has one crop .*cup, mug"):
        read_own_crops(run)


def test_folders_of_pictures_are_classes(tmp_path: Path, config_of) -> None:
    for name in ("cup", "mug"):
        (tmp_path / name).mkdir()
        for index in range(5):
            cv2.imwrite(str(tmp_path / name / f"{index}.png"), picture(index))
    (tmp_path / "mug" / "9.png").write_bytes(b"no picture")
    crops = read_own_crops(config_of(tmp_path, 1, 1, bag={"class_names": ["cup", "mug"]}))
    assert "10 crops of 11 pictures" in crops.sentence and "1 unreadable" in crops.sentence
    both = [*crops.training.class_index, *crops.held_out.class_index]
    assert sorted(both) == [0] * 5 + [1] * 5


def test_the_made_recording_is_a_bag_with_truth_for_every_frame(made_bag: Path) -> None:
    with BagReader(made_bag) as reader:
        assert reader.topics["/camera/image/compressed"].message_count == 200
        assert reader.topics["/camera/detections"].message_count == 200
