# SPDX-License-Identifier: Apache-2.0
"""Copy what can be read of an mcap file into a sound one."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.records import Channel, Message, MessageIndex, Schema, Statistics
from mcap.writer import CompressionType, Writer

from stn_perception.bags.opening import mcap_records as records
from stn_perception.bags.opening.losses import Losses
from stn_perception.bags.opening.mapped import mapped
from stn_perception.bags.opening.mcap_records import Gap, Record
from stn_perception.bags.wording import plural

_LIBRARY = "stn_perception"
_ENCODINGS = ("ros2msg", "ros2idl", "omgidl", "")
_UNREADABLE = (McapError, struct.error, ValueError)


def salvage_mcap(source: Path, target: Path, losses: Losses) -> int:
    """Write every message that can be read into a new file with an index.

    Args:
        source: The damaged file.
        target: The new one.
        losses: Grows by what cannot be read.

    Returns:
        How many messages were written.

    Raises:
        OSError: The target cannot be written.
    """
    with mapped(source, losses) as data:
        if data is None:
            return 0
        with target.open("wb") as out:
            writer = Writer(out, compression=CompressionType.ZSTD)
            writer.start(profile="ros2", library=_LIBRARY)
            count = _Salvage(source.name, writer, losses).copy(data)
            writer.finish()
    return count


class _Salvage:
    """What one file's copy needs to know on its way."""

    def __init__(self, name: str, writer: Writer, losses: Losses) -> None:
        self._name = name
        self._writer = writer
        self._losses = losses
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._written_schemas: dict[int, int] = {}
        self._written_channels: dict[int, int] = {}
        self._written = self._foreign = self._unnamed = 0
        self._damaged_chunks = self._lost_messages = self._unreadable_bytes = 0
        self._saved_of_tail = self._counted_messages = 0
        self._data_ended = False

    def copy(self, data: records.Data) -> int:
        """Copy all that can be read; return the number of messages."""
        self._learn(data)
        previous_damaged = False
        for item in records.walk(data):
            if isinstance(item, Gap):
                self._gap(item)
                previous_damaged = True
            elif item.opcode == records.CHUNK:
                previous_damaged = not self._chunk(item)
            elif item.opcode == records.MESSAGE_INDEX and previous_damaged:
                self._lost_messages += _indexed(item)
            else:
                self._record(item)
        self._say()
        return self._written

    def _learn(self, data: records.Data) -> None:
        """Take schemas and channels from the whole file, as its end repeats those of chunks."""
        for item in records.walk(data):
            if isinstance(item, Record) and item.opcode in (records.SCHEMA, records.CHANNEL):
                with suppress(*_UNREADABLE):  # counted when the copy comes to it
                    self._define(item)

    def _chunk(self, item: Record) -> bool:
        """Copy a chunk; tell whether it was sound."""
        try:
            unpacked = records.chunk_records(item.content)
        except ValueError:
            self._damaged_chunks += 1
            self._unreadable_bytes += len(item.content)
            return False
        for inner in records.walk(unpacked):
            if isinstance(inner, Gap):
                self._damaged_chunks += 1
                self._unreadable_bytes += len(unpacked) - inner.start
                break
            self._record(inner)
        return True

    def _gap(self, gap: Gap) -> None:
        if self._data_ended or gap.opcode in records.WITHOUT_MESSAGES:
            return
        unpacked = records.cut_chunk_records(gap.tail) if gap.tail else b""
        if not unpacked:
            self._unreadable_bytes += gap.length
            return
        before = self._written
        for inner in records.walk(unpacked):
            if isinstance(inner, Gap):
                self._unreadable_bytes += len(unpacked) - inner.start
                break
            self._record(inner)
        self._saved_of_tail += self._written - before

    def _record(self, item: Record) -> None:
        try:
            if item.opcode == records.MESSAGE:
                content = item.content
                self._message(Message.read(_stream(content), len(content)))
            else:
                self._define(item)
        except _UNREADABLE:
            self._lost_messages += item.opcode == records.MESSAGE
            self._unreadable_bytes += len(item.content)

    def _define(self, item: Record) -> None:
        """Take what a record other than a message says; most say nothing that the copy needs."""
        if item.opcode == records.SCHEMA:
            schema = Schema.read(_stream(item.content))
            schema.data.decode()  # a definition is text, or damaged
            self._schemas.setdefault(schema.id, schema)
        elif item.opcode == records.CHANNEL:
            channel = Channel.read(_stream(item.content))
            self._channels.setdefault(channel.id, channel)
        elif item.opcode == records.STATISTICS:
            self._counted_messages = Statistics.read(_stream(item.content)).message_count
        elif item.opcode == records.DATA_END:
            self._data_ended = True

    def _message(self, message: Message) -> None:
        channel = self._channels.get(message.channel_id)
        if channel is None:
            self._unnamed += 1
            return
        schema = self._schemas.get(channel.schema_id)
        if (
            channel.message_encoding != "cdr"
            or schema is None
            or schema.encoding not in _ENCODINGS
        ):
            self._foreign += 1
            return
        self._writer.add_message(
            self._channel_id(channel, schema),
            message.log_time,
            message.data,
            message.publish_time,
            message.sequence,
        )
        self._written += 1

    def _channel_id(self, channel: Channel, schema: Schema) -> int:
        """The channel's number in the copy, which holds only channels with messages."""
        if channel.id not in self._written_channels:
            if schema.id not in self._written_schemas:
                self._written_schemas[schema.id] = self._writer.register_schema(
                    schema.name, schema.encoding, schema.data
                )
            self._written_channels[channel.id] = self._writer.register_channel(
                channel.topic,
                channel.message_encoding,
                self._written_schemas[schema.id],
                channel.metadata,
            )
        return self._written_channels[channel.id]

    def _say(self) -> None:
        name, lose = self._name, self._losses.lose
        known = self._written + self._foreign + self._unnamed
        lost = max(self._lost_messages, self._counted_messages - known)
        self._losses.lose_parts(
            name, self._damaged_chunks, lost, self._unreadable_bytes, self._saved_of_tail
        )
        lose(
            f"{plural(self._unnamed, 'message')} of {name} could not be read, as what defines "
            "their topic is lost.",
            messages_without_topic=self._unnamed,
        )
        lose(
            f"{name} holds {plural(self._foreign, 'message')} of another kind than ROS 2's, they "
            "are left out.",
            foreign_messages=self._foreign,
        )


def _indexed(item: Record) -> int:
    """How many messages an index counts in the chunk before it."""
    try:
        return len(MessageIndex.read(_stream(item.content)).records)
    except _UNREADABLE:
        return 0


def _stream(content: bytes) -> ReadDataStream:
    return ReadDataStream(BytesIO(content))
