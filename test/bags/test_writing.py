# SPDX-License-Identifier: Apache-2.0
"""A bag is written whole or not at all."""

import os

import pytest

from stn_perception.bags import BagError, BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.replacing import ReplacedFolder

FACTORY = RosbagsFactory()


def text(value: str):
    return FACTORY.make("std_msgs/msg/String", data=value)


def test_a_failed_recording_leaves_nothing_and_keeps_the_old_one(tmp_path, write_bag):
    write_bag(tmp_path / "bag", count=2)
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


def test_a_bag_is_replaced_only_when_asked(tmp_path, write_bag):
    write_bag(tmp_path / "bag", count=2)
    with pytest.raises(BagError, match="exists already"):
        write_bag(tmp_path / "bag")
    write_bag(tmp_path / "bag", count=3, overwrite=True)
    with BagReader(tmp_path / "bag") as bag:
        assert bag.message_count == 6


def test_a_folder_that_is_no_bag_is_never_overwritten(tmp_path, write_bag):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(BagError, match="is not a bag, it is not overwritten"):
        write_bag(tmp_path / "home", overwrite=True)


def test_what_a_killed_process_left_is_cleared(tmp_path):
    dead = tmp_path / ".out.partial-999999999-abc"
    dead.mkdir()
    alive = tmp_path / f".out.partial-{os.getpid()}-abc"
    alive.mkdir()
    with ReplacedFolder(tmp_path / "out") as folder:
        (folder.work / "file").write_text("x")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([alive.name, "out"])
