# SPDX-License-Identifier: Apache-2.0
"""Bags are read as they were written, or refused in one sentence."""

import os
import sqlite3
from pathlib import Path

import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory, TopicQos

FACTORY = RosbagsFactory()


def text(value: str):
    return FACTORY.make("std_msgs/msg/String", data=value)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_is_written_is_read_in_time_order_with_its_qos(tmp_path, storage, write_bag):
    write_bag(tmp_path / "bag", storage=storage)
    with BagReader(tmp_path / "bag") as bag:
        assert (bag.start_ns, bag.end_ns, bag.message_count) == (0, 4000, 10)
        assert bag.topics["/boxes"].qos == (TopicQos("best_effort", "transient_local", 7),)
        messages = list(bag.messages())
        assert [m.topic for m in messages] == ["/boxes", "/words"] * 5
        assert [m.time_ns for m in messages] == [i * 1000 for i in range(5) for _ in range(2)]
        box = bag.deserialize(messages[2]).detections[0]
        assert (box.bbox.center.position.y, box.id) == (20.25, "sign")
        assert [bag.deserialize(m).data for m in bag.messages(["/words"], 1000, 3000)] == [
            "word 1",
            "word 2",
        ]


def test_order_of_equal_times_survives_many_chunks(tmp_path):
    payload = "x" * 300_000
    with BagWriter(tmp_path / "bag") as bag:
        for name in ("/a", "/b"):
            bag.add_topic(name, "std_msgs/msg/String")
        for index in range(12):
            bag.write_message("/b" if index % 3 else "/a", 7, text(f"{index:02d}{payload}"))
    with BagReader(tmp_path / "bag") as bag:
        order = [int(bag.deserialize(m).data[:2]) for m in bag.messages()]
    assert order == list(range(12))


def test_a_single_storage_file_opens_too(tmp_path, write_bag):
    write_bag(tmp_path / "bag")
    with BagReader(tmp_path / "bag" / "bag_0.mcap") as bag:
        assert bag.message_count == 10


def foreign_bag(folder: Path, definition: str, name: str = "my_msgs/msg/T") -> None:
    """A bag with a topic of a type of its own, beside one of words."""
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection("/t", name, msgdef=definition, rihs01=f"RIHS01_{0:064}")
        writer.write(topic, 1, b"\0\1\0\0\7\0\0\0")
        words = writer.add_connection("/words", "std_msgs/msg/String", typestore=FACTORY.typestore)
        writer.write(words, 2, FACTORY.typestore.serialize_cdr(text("a"), "std_msgs/msg/String"))


def test_an_unreadable_definition_spoils_only_its_own_topic(tmp_path):
    foreign_bag(tmp_path / "bag", "float64 [[ x")
    with BagReader(tmp_path / "bag") as bag:
        own, words = bag.messages()
        assert bag.deserialize(words).data == "a"
        with pytest.raises(BagError, match="/t does not read as my_msgs/msg/T"):
            bag.deserialize(own)
        (note,) = bag.notes
    assert note.startswith("messages of my_msgs/msg/T are not understood") and note[-1] == "."


def test_a_bag_is_closed_again_however_reading_ends(tmp_path, write_bag):
    write_bag(tmp_path / "bag")
    with pytest.raises(ValueError, match="own"), BagReader(tmp_path / "bag") as bag:
        next(bag.messages())
        raise ValueError("own")
    open_files = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [name for name in open_files if name.startswith(str(tmp_path))]


IDL = """{line}
IDL: my_msgs/msg/T
module my_msgs {{ module msg {{ struct T {{ my_msgs::msg::Inner inner; }}; }}; }};

{line}
IDL: my_msgs/msg/Inner
module my_msgs {{ module msg {{ struct Inner {{ int32 number; }}; }}; }};
""".format(line="=" * 80)


@pytest.mark.parametrize(
    "definition",
    ["my_msgs/Inner inner\n" + "=" * 80 + "\nMSG: my_msgs/Inner\nint32 number\n", IDL],
)
def test_a_type_is_read_by_the_definition_in_the_bag(tmp_path, definition):
    foreign_bag(tmp_path / "bag", definition)
    (file,) = (tmp_path / "bag").glob("*.mcap")
    if definition is IDL:  # rosbags writes every definition as one of the message language
        file.write_bytes(file.read_bytes().replace(b"\7\0\0\0ros2msg", b"\7\0\0\0ros2idl", 2))
    with BagReader(tmp_path / "bag") as bag:
        assert bag.notes == ()
        assert bag.deserialize(next(bag.messages())).inner.number == 7


def broken_bags(tmp_path: Path, write_bag) -> dict[str, tuple[Path, str]]:
    write_bag(tmp_path / "no_metadata")
    (tmp_path / "no_metadata" / "metadata.yaml").unlink()
    write_bag(tmp_path / "no_file")
    (tmp_path / "no_file" / "no_file_0.mcap").unlink()
    write_bag(tmp_path / "bad_yaml")
    (tmp_path / "bad_yaml" / "metadata.yaml").write_text("a: [")
    write_bag(tmp_path / "truncated")
    file = tmp_path / "truncated" / "truncated_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    (tmp_path / "folder").mkdir()
    (tmp_path / "letter.txt").write_text("dear")
    (tmp_path / "empty.mcap").write_bytes(b"")
    (tmp_path / "text.db3").write_text("dear sir, this is a letter and not a database")
    with sqlite3.connect(tmp_path / "other.db3") as other:
        other.execute("create table t(x)")
    return {
        "missing": (tmp_path / "nowhere", "there is no bag"),
        "folder": (tmp_path / "folder", "is not a bag"),
        "text": (tmp_path / "letter.txt", "is not a bag"),
        "no_metadata": (tmp_path / "no_metadata", "no metadata.yaml"),
        "no_file": (tmp_path / "no_file", "cannot be read"),
        "bad_yaml": (tmp_path / "bad_yaml", "cannot be read"),
        "truncated": (tmp_path / "truncated", "cannot be read"),
        "empty": (tmp_path / "empty.mcap", "cannot be read"),
        "text_db3": (tmp_path / "text.db3", "cannot be read"),
        "other_db3": (tmp_path / "other.db3", "cannot be read"),
    }


def test_what_is_no_bag_is_refused_in_one_sentence(tmp_path, write_bag):
    for name, (path, expected) in broken_bags(tmp_path, write_bag).items():
        with pytest.raises(BagError) as refusal, BagReader(path):
            pass
        sentence = str(refusal.value)
        assert expected in sentence, name
        assert str(path) in sentence, name
        assert "\n" not in sentence and sentence.endswith("."), name


def test_a_damaged_chunk_is_reported_while_reading(tmp_path, write_bag):
    write_bag(tmp_path / "bag", count=200)
    file = tmp_path / "bag" / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[120:400] = bytes(280)
    file.write_bytes(data)
    with pytest.raises(BagError, match=r"is damaged|cannot be read"), BagReader(file) as bag:
        list(bag.messages())


def test_a_damaged_time_is_reported_while_reading(tmp_path, write_bag):
    write_bag(tmp_path / "bag", storage="sqlite3")
    (storage,) = (tmp_path / "bag").glob("*.db3")
    with sqlite3.connect(storage) as database:
        database.execute("UPDATE messages SET timestamp = x'058a05' WHERE id = 4")
    database.close()
    with BagReader(tmp_path / "bag") as reader, pytest.raises(BagError, match="is damaged"):
        list(reader.messages())


def test_a_cut_off_file_is_called_that(tmp_path, write_bag):
    write_bag(tmp_path / "bag")
    (storage,) = (tmp_path / "bag").glob("*.mcap")
    storage.write_bytes(storage.read_bytes()[:-20])
    with pytest.raises(BagError, match="is cut off"), BagReader(tmp_path / "bag"):
        pass


def test_an_unknown_topic_names_those_that_are_there(tmp_path, write_bag):
    write_bag(tmp_path / "bag")
    with (
        BagReader(tmp_path / "bag") as bag,
        pytest.raises(BagError, match="no topic /sound, it has /boxes, /words"),
    ):
        list(bag.messages(["/sound"]))


def test_a_span_is_read_without_what_lies_before_it(tmp_path):
    with BagWriter(tmp_path / "bag", compress=False) as bag:
        bag.add_topic("/words", "std_msgs/msg/String")
        for time_ns in range(30):
            bag.write_message("/words", time_ns, text(f"{time_ns}" * 100_000))
    with BagReader(tmp_path / "bag") as reader:
        truth = list(reader.messages())
    (file,) = (tmp_path / "bag").glob("*.mcap")
    data = bytearray(file.read_bytes())
    # Not a byte before the span is what it was, so that looking at it could not be missed.
    before = data.index(truth[20].data)
    data[100:before] = b"\xaa" * (before - 100)
    file.write_bytes(data)
    with BagReader(tmp_path / "bag") as reader:
        assert list(reader.messages(None, 25, 28)) == truth[25:28]
        assert list(reader.messages(["/words"], 27)) == truth[27:]
        with pytest.raises(BagError, match="is damaged"):
            list(reader.messages())


def test_readers_of_one_bag_may_take_turns(tmp_path, write_bag):
    write_bag(tmp_path / "bag")
    with BagReader(tmp_path / "bag") as bag:
        whole = list(bag.messages())
        turns = list(zip(bag.messages(["/boxes"]), bag.messages(["/words"]), strict=True))
        assert [message for turn in turns for message in turn] == whole
