# SPDX-License-Identifier: Apache-2.0
"""A folder is read although its metadata are missing, wrong, or name files that are not there."""

import shutil

import pytest
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from ruamel.yaml import YAML

from stn_perception.bags import BagError, BagReader


def split_bag(bags, storage: str, spans, metadata: bool = True):
    """A bag of several files, with messages at each span of numbers."""
    suffix = {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
    folder = bags.folder / "split"
    folder.mkdir()
    for index, span in enumerate(spans):
        part = bags.write(f"part_{index}", storage, span, size=2000)
        shutil.copy(bags.storage(part), folder / f"split_{index}{suffix}")
    if metadata:
        yaml = YAML(typ="safe")
        content = yaml.load((part / "metadata.yaml").read_text())
        information = content["rosbag2_bagfile_information"]
        information["relative_file_paths"] = [f.name for f in sorted(folder.iterdir())]
        information["message_count"] = sum(len(span) for span in spans)
        for topic in information["topics_with_message_count"]:
            topic["message_count"] = information["message_count"] // 2
        with (folder / "metadata.yaml").open("w") as file:
            yaml.dump(content, file)
    return folder


def times(bags, path) -> list[int]:
    return [time_ns for _, time_ns, _ in bags.read(path)]


SPANS = (range(20), range(20, 40), range(40, 60))


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_sound_split_bag_is_used_where_it_lies(bags, storage):
    folder = split_bag(bags, storage, SPANS)
    bag = bags.open(folder)
    assert (bag.path, bag.losses, bag.sentences) == (folder, {}, ())
    assert times(bags, bag.path) == list(range(60))


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_files_that_overlap_are_read_in_the_order_of_time(bags, storage):
    folder = split_bag(bags, storage, (range(0, 40, 2), range(1, 41, 2)))
    assert times(bags, folder) == list(range(40))
    with BagReader(folder) as reader:
        assert [m.time_ns for m in reader.messages(["/odd"], 11, 18)] == [11, 13, 15, 17]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("spans", [SPANS[:1], SPANS, [range(n, n + 2) for n in range(0, 24, 2)]])
def test_a_folder_without_metadata_is_read_without_copying_its_files(bags, storage, spans):
    folder = split_bag(bags, storage, spans, metadata=False)
    if len(spans) > 10:  # split_10 comes after split_9
        assert sorted(f.name for f in folder.iterdir())[2].startswith("split_10")
    bag = bags.open(folder)
    assert times(bags, bag.path) == list(range(spans[-1][-1] + 1))
    assert bag.losses == {}
    assert bag.sentences == (
        "split has no metadata.yaml that can be read, its files were read by name.",
    )
    assert all(f.is_symlink() for f in bag.path.iterdir() if f.name != "metadata.yaml")
    with AnyReader([bag.path]) as reader:
        assert [c.msgcount for c in reader.connections] == [len(spans) * len(spans[0]) // 2] * 2


@pytest.mark.parametrize("content", ["a: [", "", "a: 1", "rosbag2_bagfile_information: 7"])
def test_metadata_that_make_no_sense_count_as_missing(bags, content):
    folder = split_bag(bags, "mcap", SPANS)
    (folder / "metadata.yaml").write_text(content)
    bag = bags.open(folder)
    assert times(bags, bag.path) == list(range(60)) and not bag.losses


def test_missing_files_are_named_and_counted(bags):
    folder = split_bag(bags, "mcap", SPANS)
    (folder / "split_1.mcap").unlink()
    bag = bags.open(folder)
    assert times(bags, bag.path) == [*range(20), *range(40, 60)]
    assert bag.losses == {"missing_files": 1, "lost_messages": 20}
    assert bag.sentences == (
        "the bag lacks 1 file of its own: split_1.mcap.",
        "20 messages that the metadata of split count could not be read.",
    )


def test_a_damaged_file_of_several_is_the_only_one_copied(bags):
    folder = split_bag(bags, "mcap", SPANS)
    file = folder / "split_1.mcap"
    file.write_bytes(file.read_bytes()[:25_000])
    bag = bags.open(folder)
    seen = times(bags, bag.path)
    assert seen == [*range(len(seen) - 20), *range(40, 60)] and 40 < len(seen) < 60
    assert bag.losses["lost_messages"] == 60 - len(seen)
    links = {f.name: f.is_symlink() for f in bag.path.glob("*.mcap")}
    assert links == {"split_0.mcap": True, "split_1.mcap": False, "split_2.mcap": True}


def test_metadata_that_know_a_topic_otherwise_than_its_file_hide_nothing(bags):
    folder = split_bag(bags, "mcap", SPANS[:1])
    file = folder / "metadata.yaml"
    file.write_text(file.read_text().replace("depth: 10", "depth: 11"))
    before = file.read_text()
    yaml = YAML(typ="safe")
    content = yaml.load(before)
    for topic in content["rosbag2_bagfile_information"]["topics_with_message_count"]:
        topic["topic_metadata"]["type_description_hash"] = "RIHS01_" + "0" * 64
        topic["topic_metadata"]["offered_qos_profiles"] = (
            "[{history: 1, depth: 3, reliability: 1, durability: 2, deadline: {sec: 0, nsec: 0}, "
            "lifespan: {sec: 0, nsec: 0}, liveliness: 1, liveliness_lease_duration: {sec: 0, "
            "nsec: 0}, avoid_ros_namespace_conventions: false}]"
        )
    with file.open("w") as stream:
        yaml.dump(content, stream)
    assert times(bags, bags.open(folder).path) == list(range(20))


def compressed(bags, storage: str, mode: CompressionMode):
    """The same bag plain, and compressed by file or by message."""
    plain = bags.write("plain", storage, size=5000)
    folder = bags.folder / "packed"
    writer = Writer(folder, version=8, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer, AnyReader([plain]) as reader:
        topics = {
            c.topic: writer.add_connection(c.topic, c.msgtype, typestore=reader.typestore)
            for c in reader.connections
        }
        for connection, time_ns, data in reader.messages():
            writer.write(topics[connection.topic], time_ns, data)
    return bags.read(plain), folder


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_compressed_by_file_is_unpacked_once(bags, storage):
    truth, folder = compressed(bags, storage, CompressionMode.FILE)
    assert next(folder.glob("*.zstd"))
    assert bags.read(folder) == truth
    bag = bags.open(folder)
    assert bags.read(bag.path) == truth and not bag.losses
    assert not list(bag.path.glob("*.zstd"))
    state = bags.storage(bag.path).stat().st_mtime_ns
    assert bags.storage(bags.open(folder).path).stat().st_mtime_ns == state


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_cut_off_compressed_file_is_read_as_far_as_it_unpacks(bags, storage):
    truth, folder = compressed(bags, storage, CompressionMode.FILE)
    file = next(folder.glob("*.zstd"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    bag = bags.open(folder)
    seen = bags.read(bag.path)
    assert seen == truth[: len(seen)] and len(seen) > 10
    assert bag.losses["lost_messages"] == len(truth) - len(seen)


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_compressed_by_message_is_read_with_and_without_its_metadata(bags, storage):
    truth, folder = compressed(bags, storage, CompressionMode.MESSAGE)
    bag = bags.open(folder)
    assert bag.path == folder and bags.read(folder) == truth
    (folder / "metadata.yaml").unlink()
    assert bags.read(bags.open(folder).path) == truth


def test_files_of_several_kinds_are_not_joined(bags):
    folder = bags.write()
    shutil.copy(bags.storage(bags.write("other", "sqlite3")), folder / "other.db3")
    (folder / "metadata.yaml").unlink()
    with pytest.raises(BagError, match=r"several kinds \(\.db3, \.mcap\), open one\.$"):
        bags.open(folder)
