# SPDX-License-Identifier: Apache-2.0
"""All that a damaged mcap file still holds is read; the truth is the package ``mcap``."""

import json
from pathlib import Path

import pytest
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.records import Channel, Chunk, Message
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import CompressionType, IndexType, Writer

from stn_perception.bags import BagError, BagReader


def mcap_messages(file: Path) -> list[tuple[str, int, bytes]]:
    """What the package reads of a file from its beginning until it fails."""
    channels, seen = {}, []
    with file.open("rb") as stream:
        try:
            for record in StreamReader(stream).records:
                if isinstance(record, Channel):
                    channels[record.id] = record.topic
                elif isinstance(record, Message):
                    seen.append((channels[record.channel_id], record.log_time, record.data))
        except McapError:
            pass
    return seen


def chunks(file: Path) -> list[tuple[int, int, int]]:
    """Start, length and number of messages of each chunk, by the file's index."""
    with file.open("rb") as stream:
        summary = make_reader(stream).get_summary()
    with file.open("rb") as stream:
        parts = [r for r in StreamReader(stream, emit_chunks=True).records if isinstance(r, Chunk)]
    counts = [sum(isinstance(r, Message) for r in breakup_chunk(part)) for part in parts]
    indexes = sorted(summary.chunk_indexes, key=lambda index: index.chunk_start_offset)
    return [
        (index.chunk_start_offset, index.chunk_length, count)
        for index, count in zip(indexes, counts, strict=True)
    ]


def rewrite(source: Path, target: Path, **options) -> None:
    """Write a bag's messages again by the package, with checksums unless told otherwise."""
    with source.open("rb") as stream, target.open("wb") as out:
        writer = Writer(out, **options)
        writer.start(profile="ros2", library="test")
        known = {}
        for schema, channel, message in make_reader(stream).iter_messages():
            if channel.id not in known:
                number = writer.register_schema(schema.name, schema.encoding, schema.data)
                known[channel.id] = writer.register_channel(channel.topic, "cdr", number)
            writer.add_message(
                known[channel.id], message.log_time, message.data, message.publish_time
            )
        writer.finish()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.9])
def test_a_file_that_is_cut_off_is_read_to_its_last_whole_message(bags, compress, share):
    whole = bags.storage(bags.write(compress=compress))
    truth = mcap_messages(whole)
    data = whole.read_bytes()
    whole.write_bytes(data[: int(share * len(data))])
    bag = bags.open(whole)
    seen = bags.read(bag.path)
    # The package gives up a chunk that is cut; the messages in it that are whole are read here.
    assert len(mcap_messages(whole)) <= len(seen) < len(truth)
    assert seen == truth[: len(seen)]
    left = truth[len(seen)][2]
    assert 0 < bag.losses["unreadable_bytes"] < len(left) + 200


def test_every_message_before_the_cut_is_read_where_chunks_are_not_compressed(bags):
    whole = bags.storage(bags.write())
    truth = mcap_messages(whole)
    data = whole.read_bytes()[:3_123_456]
    whole.write_bytes(data)
    seen = bags.read(bags.open(whole).path)
    assert seen == [message for message in truth if message[2] in data]


@pytest.mark.parametrize("compression", list(CompressionType))
def test_a_chunk_with_a_wrong_checksum_costs_its_messages_and_no_other(bags, compression):
    file = bags.folder / "a.mcap"
    rewrite(bags.storage(bags.write()), file, compression=compression)
    truth = mcap_messages(file)
    start, length, count = chunks(file)[2]
    lost = sum(part[2] for part in chunks(file)[:2])
    data = bytearray(file.read_bytes())
    data[start + length // 2] ^= 0x55
    file.write_bytes(data)
    bag = bags.open(file)
    assert bags.read(bag.path) == truth[:lost] + truth[lost + count :]
    assert bag.losses["damaged_chunks"] == 1
    assert bag.losses["lost_messages"] == count > 1
    assert abs(bag.losses["unreadable_bytes"] - length) < 10


def test_topics_are_known_although_the_chunk_that_defined_them_is_damaged(bags):
    file = bags.folder / "a.mcap"
    rewrite(bags.storage(bags.write()), file)
    truth = mcap_messages(file)
    start, length, count = chunks(file)[0]
    data = bytearray(file.read_bytes())
    data[start + length // 2] ^= 0x55
    file.write_bytes(data)
    assert bags.read(bags.open(file).path) == truth[count:]


@pytest.mark.parametrize("filling", [b"", bytes(70_000), b"\x06" * 70_000])
def test_reading_goes_on_at_the_next_chunk_behind_a_hole(bags, filling):
    file = bags.folder / "a.mcap"
    rewrite(bags.storage(bags.write()), file)
    truth = mcap_messages(file)
    parts = chunks(file)
    data = file.read_bytes()
    hole = parts[1][0] + 5  # in the chunk's length
    file.write_bytes(data[:hole] + filling + data[hole + 70_000 :])
    bag = bags.open(file)
    first, lost = parts[0][2], parts[1][2]
    assert bags.read(bag.path) == truth[:first] + truth[first + lost :]
    assert bag.losses["lost_messages"] == lost


@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_without_an_index_is_read_from_an_indexed_copy(bags, chunked):
    file = bags.folder / "a.mcap"
    options = {"index_types": IndexType.NONE, "use_statistics": False, "use_chunking": chunked}
    rewrite(
        bags.storage(bags.write()), file, **options, repeat_channels=False, repeat_schemas=False,
        use_summary_offsets=False,
    )  # fmt: skip
    bag = bags.open(file)
    assert bags.read(bag.path) == mcap_messages(file)
    assert bag.losses == {} and len(bag.sentences) == 1 and "every message of" in bag.sentences[0]
    with (bags.storage(bag.path)).open("rb") as stream:
        assert make_reader(stream).get_summary().chunk_indexes


def test_a_file_whose_index_names_no_messages_is_read(bags):
    file = bags.folder / "a.mcap"
    rewrite(bags.storage(bags.write()), file, index_types=IndexType.CHUNK)
    bag = bags.open(file)
    assert bags.read(bag.path) == mcap_messages(file) and not bag.losses


def test_a_file_cut_off_in_its_index_has_lost_nothing(bags):
    file = bags.storage(bags.write())
    truth = mcap_messages(file)
    file.write_bytes(file.read_bytes()[:-300])
    bag = bags.open(file)
    assert bags.read(bag.path) == truth and bag.losses == {}
    assert "cut off" in bag.sentences[0]


def test_what_is_not_of_ros_2_is_left_out_and_counted(bags):
    source, file = bags.storage(bags.write(numbers=range(4))), bags.folder / "a.mcap"
    with source.open("rb") as stream, file.open("wb") as out:
        writer = Writer(out)
        writer.start(profile="", library="test")
        schema, _, message = next(make_reader(stream).iter_messages())
        text = writer.register_schema(schema.name, schema.encoding, schema.data)
        json_schema = writer.register_schema("thing", "jsonschema", b"{}")
        words = writer.register_channel("/words", "cdr", text)
        things = writer.register_channel("/things", "json", json_schema)
        writer.add_message(words, 1, message.data, 1)
        for time_ns in (2, 3):
            writer.add_message(things, time_ns, json.dumps({"a": 1}).encode(), time_ns)
        writer.finish()
    bag = bags.open(file)
    assert bags.read(bag.path) == [("/words", 1, message.data)]
    assert bag.losses == {"foreign_messages": 2}


def test_the_same_damage_gives_the_same_copy(bags):
    file = bags.storage(bags.write(compress=True))
    file.write_bytes(file.read_bytes()[:2_000_000])
    first, second = (bags.open(file, bags.folder / name) for name in ("one", "two"))
    assert first.path != second.path
    assert bags.storage(first.path).read_bytes() == bags.storage(second.path).read_bytes()
    assert (first.losses, first.sentences) == (second.losses, second.sentences)


@pytest.mark.parametrize("content", [b"", b"dear sir, this is a letter", b"\x89MCAP0\r\n" * 2])
def test_a_file_of_which_nothing_can_be_read_is_refused_in_one_sentence(bags, content):
    file = bags.folder / "a.mcap"
    file.write_bytes(content)
    with pytest.raises(BagError, match=r"a\.mcap.*\.$") as refusal:
        bags.open(file)
    assert "\n" not in str(refusal.value)


def test_a_recorder_that_was_killed_before_the_first_message_left_none(bags):
    file = bags.folder / "a.mcap"
    file.write_bytes(b"\x89MCAP0\r\n")
    with pytest.raises(BagError, match=r"^the bag .*a\.mcap holds no messages\.$"):
        bags.open(file)


def test_a_damaged_definition_is_taken_from_where_the_file_repeats_it(bags):
    file = bags.storage(bags.write(size=1000))
    truth = mcap_messages(file)
    data = bytearray(file.read_bytes())
    place = data.index(b"string data")  # in the first chunk, which has no checksum
    data[place : place + 6] = b"\xff" * 6
    file.write_bytes(data[:-20] + bytes(20))  # the end is damaged, so that a copy is made
    bag = bags.open(file)
    assert bags.read(bag.path) == truth
    assert set(bag.losses) == {"unreadable_bytes"}
    with BagReader(bag.path) as reader:
        assert reader.deserialize(next(reader.messages())).data.startswith("0:")
