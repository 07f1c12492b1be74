# SPDX-License-Identifier: Apache-2.0
"""Bags are read as they were written, or refused in one sentence."""

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory, TopicQos
from stn_perception.bags.qos import offer_for
from stn_perception.bags.replacing import ReplacedFolder
from stn_perception.bags.typestore import (
    DEFINITIONS,
    ensure_type,
    header_stamp_ns,
    make_typestore,
    starts_with_header,
)

FACTORY = RosbagsFactory()


def header(stamp_ns: int):
    time = FACTORY.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return FACTORY.make("std_msgs/msg/Header", stamp=time, frame_id="camera")


def detections(stamp_ns: int):
    position = FACTORY.make("vision_msgs/msg/Point2D", x=10.5, y=20.25)
    center = FACTORY.make("vision_msgs/msg/Pose2D", position=position, theta=0.5)
    box = FACTORY.make("vision_msgs/msg/BoundingBox2D", center=center, size_x=30.0, size_y=40.0)
    detection = FACTORY.make(
        "vision_msgs/msg/Detection2D", header=header(stamp_ns), results=[], bbox=box, id="sign"
    )
    return FACTORY.make(
        "vision_msgs/msg/Detection2DArray", header=header(stamp_ns), detections=[detection]
    )


def text(value: str):
    return FACTORY.make("std_msgs/msg/String", data=value)


def write(path: Path, count: int = 5, storage: str = "mcap", **options) -> None:
    with BagWriter(path, storage=storage, **options) as bag:
        qos = TopicQos("best_effort", "transient_local", 7)
        bag.add_topic("/boxes", "vision_msgs/msg/Detection2DArray", (qos,))
        bag.add_topic("/words", "std_msgs/msg/String")
        for index in range(count):
            bag.write_message("/boxes", index * 1000, detections(index * 10**9 + 5))
            bag.write_message("/words", index * 1000, text(f"word {index}"))


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_what_is_written_is_read_in_time_order_with_its_qos(tmp_path, storage):
    write(tmp_path / "bag", storage=storage)
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


def test_a_single_storage_file_opens_too(tmp_path):
    write(tmp_path / "bag")
    with BagReader(tmp_path / "bag" / "bag_0.mcap") as bag:
        assert bag.message_count == 10


def test_the_stamp_is_read_from_the_serialized_bytes(tmp_path):
    write(tmp_path / "bag", count=3)
    with BagReader(tmp_path / "bag") as bag:
        stamps = [header_stamp_ns(m.data) for m in bag.messages(["/boxes"])]
        assert starts_with_header(bag.typestore, "vision_msgs/msg/Detection2DArray")
        assert not starts_with_header(bag.typestore, "std_msgs/msg/String")
    assert stamps == [5, 10**9 + 5, 2 * 10**9 + 5]


@pytest.mark.parametrize("data", [b"", b"\0\1\0\0", b"\0\1\0\0\1\0\0\0\1\0\0"])
def test_a_message_too_short_for_its_stamp_is_reported(data):
    with pytest.raises(BagError, match=f"{len(data)} bytes"):
        header_stamp_ns(data)


def test_a_bag_with_an_unreadable_definition_is_closed_again(tmp_path):
    folder = tmp_path / "bag"
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection(
            "/t", "my_msgs/msg/T", msgdef="float64 [[ x", rihs01=f"RIHS01_{0:064}"
        )
        writer.write(topic, 1, b"\0\1\0\0")
    with pytest.raises(BagError, match="defines my_msgs/msg/T"), BagReader(folder):
        pass
    open_files = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [name for name in open_files if name.startswith(str(folder))]


def test_a_failed_recording_leaves_nothing_and_keeps_the_old_one(tmp_path):
    write(tmp_path / "bag", count=2)
    with pytest.raises(RuntimeError), BagWriter(tmp_path / "bag", overwrite=True) as bag:
        bag.add_topic("/words", "std_msgs/msg/String")
        bag.write_message("/words", 1, text("lost"))
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["bag"]
    with BagReader(tmp_path / "bag") as bag:
        assert bag.message_count == 4


def test_an_unfinished_recording_is_not_at_its_place_yet(tmp_path):
    with BagWriter(tmp_path / "bag") as bag:
        bag.add_topic("/words", "std_msgs/msg/String")
        bag.write_message("/words", 1, text("one"))
        assert not (tmp_path / "bag").exists()
    assert (tmp_path / "bag" / "metadata.yaml").is_file()


def test_an_empty_recording_leaves_nothing(tmp_path):
    with BagWriter(tmp_path / "bag"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_bag_is_replaced_only_when_asked(tmp_path):
    write(tmp_path / "bag", count=2)
    with pytest.raises(BagError, match="exists already"):
        write(tmp_path / "bag")
    write(tmp_path / "bag", count=3, overwrite=True)
    with BagReader(tmp_path / "bag") as bag:
        assert bag.message_count == 6


def test_a_folder_that_is_no_bag_is_never_overwritten(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(BagError, match="is not a bag, it is not overwritten"):
        write(tmp_path / "home", overwrite=True)


def test_what_a_killed_process_left_is_cleared(tmp_path):
    dead = tmp_path / ".out.partial-999999999-abc"
    dead.mkdir()
    alive = tmp_path / f".out.partial-{os.getpid()}-abc"
    alive.mkdir()
    with ReplacedFolder(tmp_path / "out") as folder:
        (folder.work / "file").write_text("x")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([alive.name, "out"])


def broken_bags(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    write(tmp_path / "no_metadata")
    (tmp_path / "no_metadata" / "metadata.yaml").unlink()
    write(tmp_path / "no_file")
    (tmp_path / "no_file" / "no_file_0.mcap").unlink()
    write(tmp_path / "bad_yaml")
    (tmp_path / "bad_yaml" / "metadata.yaml").write_text("a: [")
    write(tmp_path / "truncated")
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


def test_what_is_no_bag_is_refused_in_one_sentence(tmp_path):
    for name, (path, expected) in broken_bags(tmp_path).items():
        with pytest.raises(BagError) as refusal, BagReader(path):
            pass
        sentence = str(refusal.value)
        assert expected in sentence, name
        assert str(path) in sentence, name
        assert "\n" not in sentence and sentence.endswith("."), name


def test_a_damaged_chunk_is_reported_while_reading(tmp_path):
    write(tmp_path / "bag", count=200)
    file = tmp_path / "bag" / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[120:400] = bytes(280)
    file.write_bytes(data)
    with pytest.raises(BagError, match=r"is damaged|cannot be read"), BagReader(file) as bag:
        list(bag.messages())


def test_a_damaged_time_is_reported_while_reading(tmp_path):
    write(tmp_path / "bag", storage="sqlite3")
    (storage,) = (tmp_path / "bag").glob("*.db3")
    with sqlite3.connect(storage) as database:
        database.execute("UPDATE messages SET timestamp = x'058a05' WHERE id = 4")
    database.close()
    with BagReader(tmp_path / "bag") as reader, pytest.raises(BagError, match="is damaged"):
        list(reader.messages())


def test_a_cut_off_file_is_called_that(tmp_path):
    write(tmp_path / "bag")
    (storage,) = (tmp_path / "bag").glob("*.mcap")
    storage.write_bytes(storage.read_bytes()[:-20])
    with pytest.raises(BagError, match="is cut off"), BagReader(tmp_path / "bag"):
        pass


def test_an_unknown_topic_names_those_that_are_there(tmp_path):
    write(tmp_path / "bag")
    with (
        BagReader(tmp_path / "bag") as bag,
        pytest.raises(BagError, match="no topic /sound, it has /boxes, /words"),
    ):
        list(bag.messages(["/sound"]))


def test_a_type_is_found_in_an_installed_package(tmp_path):
    folder = tmp_path / "my_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Outer.msg").write_text("my_msgs/Inner[] inner\nstd_msgs/Header header\n")
    (folder / "Inner.msg").write_text("float64[3] values\n")
    store = make_typestore()
    ensure_type(store, "my_msgs/msg/Outer", [tmp_path])
    inner = store.types["my_msgs/msg/Inner"](values=np.array([1.0, 2.0, 3.0]))
    data = store.serialize_cdr(
        store.types["my_msgs/msg/Outer"](inner=[inner], header=header(3)), "my_msgs/msg/Outer"
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
