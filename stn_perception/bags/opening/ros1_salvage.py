# SPDX-License-Identifier: Apache-2.0
"""Copy what can be read of ROS 1 bags into a sound one."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Writer

from stn_perception.bags.opening import ros1_records as records
from stn_perception.bags.opening.losses import Losses
from stn_perception.bags.opening.mapped import mapped
from stn_perception.bags.opening.ros1_records import Gap, Record
from stn_perception.bags.ros1.conversion import Conversion
from stn_perception.bags.typestore import make_typestore
from stn_perception.bags.wording import plural

_NEEDED = {b"type", b"md5sum", b"message_definition"}


def salvage_ros1(sources: Sequence[Path], target: Path, losses: Losses) -> int:
    """Write every message that can be read into a new file with an index.

    Args:
        sources: The bags, in their order.
        target: The new one.
        losses: Grows by what cannot be read.

    Returns:
        How many messages were written.

    Raises:
        OSError: The target cannot be written.
    """
    count = 0
    with Writer(target) as writer:
        known: dict[Any, Any] = {}
        for source in sources:
            count += _Salvage(source.name, writer, known, losses).copy(source)
    return count


class _Salvage:
    """What one file's copy needs to know on its way."""

    def __init__(self, name: str, writer: Writer, known: dict[Any, Any], losses: Losses) -> None:
        self._name = name
        self._writer = writer
        self._written_connections = known
        self._losses = losses
        self._store = make_typestore()
        self._conversions: dict[int, Conversion | None] = {}
        self._connections: dict[int, Mapping[bytes, bytes]] = {}
        self._written = self._damaged_chunks = self._lost_messages = self._unreadable_bytes = 0
        self._saved_of_tail = self._unreadable_messages = 0
        self._read_of_chunk = self._indexed_of_chunk = self._counted_messages = 0

    def copy(self, source: Path) -> int:
        """Copy all that can be read; return the number of messages."""
        with mapped(source, self._losses) as data:
            if data is None:
                return 0
            start = len(records.MAGIC) if data[: len(records.MAGIC)] == records.MAGIC else 0
            for item in records.walk(data, start):
                if isinstance(item, Record) and item.opcode == records.CONNECTION:
                    self._connect(item)
            for item in records.walk(data, start):
                self._item(item)
            self._settle()
        self._say()
        return self._written

    def _item(self, item: Record | Gap) -> None:
        """Copy a record."""
        if isinstance(item, Gap):
            self._settle()
            self._gap(item)
        elif item.opcode == records.CHUNK:
            self._settle()
            self._chunk(item)
        elif item.opcode == records.INDEX:
            self._indexed_of_chunk += _uint32(item.fields.get(b"count", b"")) or 0
        elif item.opcode == records.CHUNK_INFO:
            numbers = struct.unpack(f"<{len(item.data) // 4}I", item.data[: len(item.data) & ~3])
            self._counted_messages += sum(numbers[1::2])
        elif item.opcode == records.MESSAGE:
            self._message(item)

    def _gap(self, gap: Gap) -> None:
        cut = gap.cut
        if cut is not None and cut.opcode in records.WITHOUT_MESSAGES:
            return
        if cut is None or cut.opcode != records.CHUNK:
            self._unreadable_bytes += gap.length
            return
        before = self._written
        self._chunk(cut)
        self._saved_of_tail += self._written - before

    def _settle(self) -> None:
        """Count what the indexes behind a chunk say that it held and that was not read."""
        self._lost_messages += max(0, self._indexed_of_chunk - self._read_of_chunk)
        self._indexed_of_chunk = self._read_of_chunk = 0

    def _chunk(self, chunk: Record) -> None:
        """Copy a chunk as far as it reads."""
        whole = chunk.stop <= len(chunk.file)
        try:
            unpacked = records.chunk_records(chunk)
        except ValueError:
            self._damaged_chunks += whole
            self._unreadable_bytes += len(chunk.data)
            return
        if not unpacked:
            self._unreadable_bytes += len(chunk.data)
        for inner in records.walk(unpacked):
            if isinstance(inner, Gap):
                self._unreadable_bytes += len(unpacked) - inner.start
                self._damaged_chunks += whole
                break
            if inner.opcode == records.CONNECTION:
                self._connect(inner)
            elif inner.opcode == records.MESSAGE:
                self._read_of_chunk += 1
                self._message(inner)

    def _connect(self, item: Record) -> None:
        number = _uint32(item.fields.get(b"conn", b""))
        try:
            details = records.fields_of(item.data)
        except ValueError:
            return
        details = {**details, b"topic": item.fields.get(b"topic", b"")}
        if number is not None and details[b"topic"] and details.keys() >= _NEEDED:
            self._connections.setdefault(number, details)

    def _message(self, item: Record) -> None:
        number = _uint32(item.fields.get(b"conn", b""))
        time = item.fields.get(b"time", b"")
        details = self._connections.get(-1 if number is None else number)
        if number is None or details is None or len(time) != 8:
            self._lost_messages += 1
            return
        data = item.data
        if not self._fits(number, details, data):
            self._unreadable_messages += 1
            return
        seconds, nanoseconds = struct.unpack("<II", time)
        self._writer.write(self._connection(details), seconds * 10**9 + nanoseconds, data)
        self._written += 1

    def _fits(self, number: int, details: Mapping[bytes, bytes], data: bytes) -> bool:
        """Tell whether a message reads as its type; one of a type that nobody reads does."""
        if number not in self._conversions:
            try:
                definition = _text(details[b"message_definition"])
                self._conversions[number] = Conversion(self._store, _type(details), definition)
            except Exception:  # rosbags raises several kinds; the reader says which and why
                self._conversions[number] = None
        conversion = self._conversions[number]
        try:
            return conversion is None or bool(conversion.cdr(data))
        except Exception:  # rosbags raises several kinds here too; counted by the caller
            return False

    def _connection(self, details: Mapping[bytes, bytes]) -> Any:
        key = tuple(sorted(details.items()))
        if key not in self._written_connections:
            latching = details.get(b"latching", b"")
            self._written_connections[key] = self._writer.add_connection(
                _text(details[b"topic"]),
                _type(details),
                msgdef=_text(details[b"message_definition"]),
                md5sum=_text(details[b"md5sum"]),
                callerid=_text(details[b"callerid"]) if b"callerid" in details else None,
                latching=int(latching == b"1") if latching else None,
            )
        return self._written_connections[key]

    def _say(self) -> None:
        name, lose = self._name, self._losses.lose
        known = self._written + self._unreadable_messages
        lost = max(self._lost_messages, self._counted_messages - known)
        self._losses.lose_parts(
            name, self._damaged_chunks, lost, self._unreadable_bytes, self._saved_of_tail
        )
        lose(
            f"{plural(self._unreadable_messages, 'message')} of {name} could not be read as their "
            "type.",
            unreadable_messages=self._unreadable_messages,
        )


def _type(details: Mapping[bytes, bytes]) -> str:
    package, _, name = _text(details[b"type"]).rpartition("/")
    return f"{package.removesuffix('/msg')}/msg/{name}"


def _text(field: bytes) -> str:
    return field.decode(errors="replace")


def _uint32(field: bytes) -> int | None:
    return int.from_bytes(field, "little") if len(field) == 4 else None
