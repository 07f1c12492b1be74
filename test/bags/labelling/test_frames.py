# SPDX-License-Identifier: Apache-2.0
"""Frames are found by their stamps, in any order and from several threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.labelling.frames import CameraFrames
from stn_perception.bags.pictures import png
from stn_perception.messages.factory import header
from stn_perception.messages.outcomes import MessageError


def test_frames_come_in_the_order_of_their_stamps_and_repeated_ones_once(tmp_path, square):
    square.write_bag(tmp_path / "bag", [3, 1, 0, 1, 2])
    with BagReader(tmp_path / "bag") as reader:
        frames = CameraFrames(reader, "/front/image")
        assert frames.stamps_ns == tuple(square.stamps_ns[:4])
        assert frames.repeated == 1
        for number in (2, 0, 3, 1):
            assert np.array_equal(frames.pixels(number)[:, :, ::-1], square.pixels(number))


def test_a_message_that_is_cut_short_costs_no_other_frame(tmp_path, square):
    square.write_bag(tmp_path / "bag", [0, 1])
    with BagReader(tmp_path / "bag") as source, BagWriter(tmp_path / "cut") as target:
        target.add_topic("/front/image", "sensor_msgs/msg/Image")
        for message in source.messages(["/front/image"]):
            target.write("/front/image", message.time_ns, message.data[:7])
            target.write("/front/image", message.time_ns, message.data)
    with BagReader(tmp_path / "cut") as reader:
        frames = CameraFrames(reader, "/front/image")
        assert (len(frames), frames.unreadable, frames.repeated) == (2, 2, 0)
        assert all(np.array_equal(frames.pixels(n)[:, :, ::-1], square.pixels(n)) for n in (1, 0))


def test_several_threads_get_their_own_frames(square_bag, square):
    with BagReader(square_bag) as reader, ThreadPoolExecutor(8) as pool:
        frames = CameraFrames(reader, "/front/image")
        numbers = list(range(square.frames)) * 3
        for number, pixels in zip(numbers, pool.map(frames.pixels, numbers), strict=True):
            assert np.array_equal(pixels[:, :, ::-1], square.pixels(number))


def test_frames_recorded_at_one_time_are_told_apart(tmp_path, square):
    square.write_bag(tmp_path / "bag", [0, 1])
    with BagReader(tmp_path / "bag") as source, BagWriter(tmp_path / "same") as target:
        target.add_topic("/front/image", "sensor_msgs/msg/Image")
        for message in source.messages(["/front/image"]):
            target.write("/front/image", 500, message.data)
    with BagReader(tmp_path / "same") as reader:
        frames = CameraFrames(reader, "/front/image")
        assert all(np.array_equal(frames.pixels(n)[:, :, ::-1], square.pixels(n)) for n in (1, 0))


def test_a_compressed_frame_is_shown_and_a_broken_one_is_told(tmp_path):
    factory = RosbagsFactory()
    picture = np.random.default_rng(1).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic("/c/image/compressed", "sensor_msgs/msg/CompressedImage")
        for number, data in enumerate((png(picture), b"nonsense")):
            message = factory.make(
                "sensor_msgs/msg/CompressedImage",
                header=header(factory, number, "c"),
                format="png",
                data=factory.octets(np.frombuffer(data, np.uint8)),
            )
            bag.write_message("/c/image/compressed", number, message)
    with BagReader(tmp_path / "bag") as reader:
        frames = CameraFrames(reader, "/c/image/compressed")
        assert np.array_equal(frames.pixels(0), picture)
        with pytest.raises(MessageError, match="no picture"):
            frames.png(1)
