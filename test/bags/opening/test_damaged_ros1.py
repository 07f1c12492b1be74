# SPDX-License-Identifier: Apache-2.0
"""All that a damaged ROS 1 bag still holds is read; the truth is rosbags' reading of the whole."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag1 import Reader, Writer
from rosbags.typesys import Stores, get_typestore

from stn_perception.bags import BagError, BagReader

NOETIC = get_typestore(Stores.ROS1_NOETIC)
TEXT = "std_msgs/msg/String"


def write(path: Path, compression=None, numbers=range(60)) -> list[tuple[str, int, str]]:
    """Write words at each of the times; return topic, time and word."""
    random = np.random.default_rng(5)
    written = []
    with_writer = Writer(path)
    if compression:
        with_writer.set_compression(compression)
    with with_writer as writer:
        topics = {
            name: writer.add_connection(name, TEXT, typestore=NOETIC) for name in ("/a", "/b")
        }
        for number in numbers:
            word = bytes(random.integers(65, 91, 100_000, dtype=np.uint8)).decode()
            topic = ("/a", "/b")[number % 2]
            message = NOETIC.types[TEXT](data=word)
            writer.write(topics[topic], number, NOETIC.serialize_ros1(message, TEXT))
            written.append((topic, number, word))
    return written


def words(path: Path) -> list[tuple[str, int, str]]:
    with BagReader(path) as reader:
        return [(m.topic, m.time_ns, reader.deserialize(m).data) for m in reader.messages()]


def chunks(path: Path) -> list[tuple[int, int, int]]:
    """Start and length of the packed bytes of each chunk, and its number of messages."""
    with Reader(path) as reader:
        return [
            (reader.chunks[info.pos].datapos, reader.chunks[info.pos].datasize,
             sum(info.connection_counts.values()))
            for info in reader.chunk_infos
        ]  # fmt: skip


COMPRESSIONS = [None, *Writer.CompressionFormat]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_bag_that_is_cut_off_is_read_as_far_as_it_goes(bags, compression, share):
    file = bags.folder / "a.bag"
    truth = write(file, compression)
    packed = chunks(file)
    data = file.read_bytes()[: int(share * file.stat().st_size)]
    file.write_bytes(data)
    opened = bags.open(file)
    seen = words(opened.path)
    whole_chunks = sum(count for start, length, count in packed if start + length <= len(data))
    assert seen == truth[: len(seen)]
    assert whole_chunks <= len(seen) < len(truth)
    if compression is None:
        assert seen == [word for word in truth if word[2].encode() in data]
    assert opened.losses["unreadable_bytes"] > 0


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_bag_without_an_index_is_read_whole(bags, compression):
    file = bags.folder / "a.bag"
    truth = write(file, compression)
    data = bytearray(file.read_bytes())
    place = data.index(b"index_pos=") + len(b"index_pos=")
    index = int.from_bytes(data[place : place + 8], "little")
    data[place : place + 8] = bytes(8)
    file.write_bytes(data[:index])
    opened = bags.open(file)
    assert words(opened.path) == truth
    assert opened.losses == {} and "every message of" in opened.sentences[0]
    with AnyReader([opened.path]) as reader:
        assert reader.message_count == len(truth)


@pytest.mark.parametrize("compression", list(Writer.CompressionFormat))
def test_a_damaged_chunk_costs_its_messages_and_no_other(bags, compression):
    file = bags.folder / "a.bag"
    truth = write(file, compression)
    packed = chunks(file)
    start, length, count = packed[1]
    data = bytearray(file.read_bytes())
    data[start : start + length] = bytes(length)
    file.write_bytes(data)
    opened = bags.open(file)
    first = packed[0][2]
    assert words(opened.path) == truth[:first] + truth[first + count :]
    assert opened.losses == {
        "damaged_chunks": 1,
        "lost_messages": count,
        "unreadable_bytes": length,
    }


def test_reading_goes_on_at_the_next_chunk_behind_a_hole(bags):
    file = bags.folder / "a.bag"
    truth = write(file)
    packed = chunks(file)
    data = file.read_bytes()
    hole = packed[1][0] - 6  # in the chunk's header
    file.write_bytes(data[:hole] + bytes(1000) + data[hole + 5000 :])
    opened = bags.open(file)
    first, lost = packed[0][2], packed[1][2]
    assert words(opened.path) == truth[:first] + truth[first + lost :]
    assert opened.losses["lost_messages"] == lost


def test_messages_that_do_not_read_as_their_type_are_left_out_and_counted(bags):
    file = bags.folder / "a.bag"
    with Writer(file) as writer:
        topic = writer.add_connection("/a", TEXT, typestore=NOETIC)
        for time_ns, word in enumerate(["one", "two", "three"]):
            data = NOETIC.serialize_ros1(NOETIC.types[TEXT](data=word), TEXT)
            writer.write(topic, time_ns, bytes(data)[: -1 if word == "two" else None])
    opened = bags.open(file)
    assert words(opened.path) == [("/a", 0, "one"), ("/a", 2, "three")]
    assert opened.losses == {"unreadable_messages": 1}


def test_several_bags_in_a_folder_are_read_as_one(bags):
    folder = bags.folder / "drive"
    folder.mkdir()
    second = write(folder / "drive_10.bag", numbers=range(20, 30))
    first = write(folder / "drive_9.bag", numbers=range(20))
    opened = bags.open(folder)
    assert words(opened.path) == first + second
    assert not opened.losses


def test_the_same_damage_gives_the_same_copy(bags):
    file = bags.folder / "a.bag"
    write(file)
    file.write_bytes(file.read_bytes()[:3_000_000])
    first, second = (bags.open(file, bags.folder / name) for name in ("one", "two"))
    assert first.path.read_bytes() == second.path.read_bytes() and first.path != second.path
    assert (first.losses, first.sentences) == (second.losses, second.sentences)


@pytest.mark.parametrize("content", [b"", b"dear sir", b"#ROSBAG V2.0\n", b"#ROSBAG V1.2\nabc"])
def test_a_file_of_which_nothing_can_be_read_is_refused_in_one_sentence(bags, content):
    file = bags.folder / "a.bag"
    file.write_bytes(content)
    with pytest.raises(BagError, match=r"a\.bag.*\.$") as refusal:
        bags.open(file)
    assert "\n" not in str(refusal.value)
