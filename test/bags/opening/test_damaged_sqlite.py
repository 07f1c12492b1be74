# SPDX-License-Identifier: Apache-2.0
"""All that a damaged sqlite file still holds is read; the truth are the bytes themselves."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from rosbags.highlevel import AnyReader

from stn_perception.bags import BagError


def page_of(database, table: str) -> tuple[int, int]:
    """Where the top page of a table begins, and the size of a page."""
    with closing(sqlite3.connect(database)) as connection:
        ((size,),) = connection.execute("PRAGMA page_size")
        ((page,),) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        )
    return (page - 1) * size, size


@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
@pytest.mark.parametrize("size", [200, 100_000])
def test_every_message_that_lies_before_the_cut_is_read(bags, share, size):
    count = 60 if size > 1000 else 3000
    bag = bags.write(storage="sqlite3", numbers=range(count), size=size)
    file, truth = bags.storage(bag), bags.read(bag)
    whole = file.read_bytes()
    data = whole[: int(share * len(whole))]
    file.write_bytes(data)
    # A message is there if its end is: its pages follow each other in a file written at once.
    there = [message for message in truth if message[2][-30:] in data]
    opened = bags.open(file)
    assert 0 < len(there) < len(truth)
    assert bags.read(opened.path) == there
    begun = [message for message in truth if message[2][:30] in data and message not in there]
    assert opened.losses.get("lost_messages", 0) >= len(begun)
    assert abs(opened.losses["missing_bytes"] - (len(whole) - len(data))) < 65536


def test_the_metadata_tell_how_many_messages_a_cut_costs(bags):
    bag = bags.write(storage="sqlite3")
    file = bags.storage(bag)
    file.write_bytes(file.read_bytes()[:3_000_000])
    opened = bags.open(bag)
    assert opened.losses["lost_messages"] == 60 - len(bags.read(opened.path)) > 0


def test_rows_are_found_although_the_page_that_leads_to_them_is_gone(bags):
    bag = bags.write(storage="sqlite3", numbers=range(3000), size=200)
    file, truth = bags.storage(bag), bags.read(bag)
    start, size = page_of(file, "messages")
    data = bytearray(file.read_bytes())
    data[start : start + size] = bytes(size)
    file.write_bytes(data)
    assert bags.read(bags.open(file).path) == truth


def test_one_damaged_page_costs_the_messages_in_it_and_no_other(bags):
    bag = bags.write(storage="sqlite3", numbers=range(3000), size=200)
    file, truth = bags.storage(bag), bags.read(bag)
    data = bytearray(file.read_bytes())
    place = data.index(truth[1500][2]) // 4096 * 4096
    lost = [message for message in truth if message[2] in data[place : place + 4096]]
    data[place : place + 4096] = b"\xaa" * 4096
    file.write_bytes(data)
    opened = bags.open(bag)
    assert bags.read(opened.path) == [message for message in truth if message not in lost]
    assert opened.losses == {"lost_messages": len(lost)} and len(lost) > 1


def test_types_and_offers_of_the_topics_are_kept(bags):
    bag = bags.write(storage="sqlite3")
    with AnyReader([bag]) as reader:
        before = {c.topic: (c.msgtype, c.ext, c.msgdef) for c in reader.connections}
    file = bags.storage(bag)
    file.write_bytes(file.read_bytes()[:3_000_000])
    with AnyReader([bags.open(file).path]) as reader:
        assert {c.topic: (c.msgtype, c.ext, c.msgdef) for c in reader.connections} == before


def test_messages_that_the_recorder_left_in_the_journal_are_read(bags):
    bag = bags.write(storage="sqlite3", numbers=range(10), size=100)
    file, truth = bags.storage(bag), bags.read(bag)
    recording = bags.folder / "recording"
    recording.mkdir()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "INSERT INTO messages SELECT 11, topic_id, 99, data FROM messages LIMIT 1"
        )
        connection.commit()
        for name in (file.name, file.name + "-wal"):
            shutil.copy(file.with_name(name), recording / name)
    (recording / file.name).chmod(0o444)
    before = {path.name: path.read_bytes() for path in recording.iterdir()}
    opened = bags.open(recording)
    topic, _, data = truth[0]
    assert bags.read(opened.path) == [*truth, (topic, 99, data)]
    assert opened.losses == {} and "journal" in " ".join(opened.sentences)
    assert {path.name: path.read_bytes() for path in recording.iterdir()} == before


def test_the_same_damage_gives_the_same_copy(bags):
    file = bags.storage(bags.write(storage="sqlite3"))
    file.write_bytes(file.read_bytes()[:2_000_000])
    first, second = (bags.open(file, bags.folder / name) for name in ("one", "two"))
    assert bags.storage(first.path).read_bytes() == bags.storage(second.path).read_bytes()
    assert (first.losses, first.sentences) == (second.losses, second.sentences)


@pytest.mark.parametrize("content", [b"", b"dear sir", b"SQLite format 3\0" + b"\x11" * 500])
def test_a_file_of_which_nothing_can_be_read_is_refused_in_one_sentence(bags, content):
    file = bags.folder / "a.db3"
    file.write_bytes(content)
    with pytest.raises(BagError, match=r"a\.db3.*\.$") as refusal:
        bags.open(file)
    assert "\n" not in str(refusal.value)
