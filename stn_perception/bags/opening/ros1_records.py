# SPDX-License-Identifier: Apache-2.0
"""Walk through the records of a ROS 1 bag, over whatever is damaged.

The format is that of https://wiki.ros.org/Bags/Format/2.0: a record is a header of named fields
and its data, each behind its length. Where lengths cannot be, the walk goes on at the next chunk.
"""

from __future__ import annotations

import bz2
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import lz4.frame  # type: ignore[import-untyped]

MAGIC = b"#ROSBAG V2.0\n"
MESSAGE, INDEX, CHUNK, CHUNK_INFO, CONNECTION = 2, 4, 5, 6, 7
# Records outside of chunks that hold nothing of a message.
WITHOUT_MESSAGES = (INDEX, CHUNK_INFO, CONNECTION)
_OPCODE = b"op"
_CHUNK_FIELD = struct.pack("<I", 4) + b"op=" + bytes([CHUNK])
# A chunk's header has three short fields.
_LONGEST_CHUNK_HEADER = 80
Data = bytes | mmap.mmap


@dataclass(frozen=True, eq=False)
class Record:
    """A record as it lies in the file.

    Attributes:
        opcode: What it is.
        fields: Of its header.
        file: The file.
        start: Where its data begins, in bytes.
        stop: Where it ends.
    """

    opcode: int
    fields: Mapping[bytes, bytes]
    file: Data
    start: int
    stop: int

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return bytes(self.file[self.start : self.stop])


@dataclass(frozen=True, eq=False)
class Gap:
    """Bytes that hold no whole record.

    Attributes:
        start: Where they begin.
        length: How many they are.
        cut: The record that the file's end cuts off; None where it is damage of another kind.
    """

    start: int
    length: int
    cut: Record | None = None


def walk(file: Data, start: int = 0) -> Iterator[Record | Gap]:
    """Yield the records from a place on, and the gaps between them.

    Args:
        file: The file, or the records of a chunk.
        start: Where the first record is.
    """
    place, end = start, len(file)
    while place < end:
        record = _record(file, place)
        if record is not None and record.stop <= end:
            yield record
            place = record.stop
            continue
        following = _next_chunk(file, place + 1)
        yield Gap(place, following - place, record if following == end else None)
        place = following


def _record(file: Data, place: int) -> Record | None:
    """The record at a place, which may end behind the file's end; None where there is none."""
    try:
        (length,) = struct.unpack_from("<I", file, place)
        start = place + 4 + length + 4
        if start > len(file):
            return None
        fields = fields_of(bytes(file[place + 4 : start - 4]))
        (size,) = struct.unpack_from("<I", file, start - 4)
    except (struct.error, ValueError):
        return None
    opcode = fields.get(_OPCODE, b"")
    return Record(opcode[0], fields, file, start, start + size) if len(opcode) == 1 else None


def fields_of(header: bytes) -> dict[bytes, bytes]:
    """Return the named fields of a header.

    Raises:
        ValueError: Their lengths do not agree with the header's.
    """
    fields, place = {}, 0
    while place < len(header):
        if place + 4 > len(header):
            raise ValueError("a field is cut off")
        (length,) = struct.unpack_from("<I", header, place)
        name, equals, value = header[place + 4 : place + 4 + length].partition(b"=")
        place += 4 + length
        if place > len(header) or not equals:
            raise ValueError("a field is none")
        fields[name] = value
    return fields


def _next_chunk(file: Data, start: int) -> int:
    """Where the next whole chunk begins, or the file's end."""
    place = file.find(_CHUNK_FIELD, start)
    while place >= 0:
        for head in range(max(start, place - _LONGEST_CHUNK_HEADER), place - 3):
            record = _record(file, head)
            if record and record.stop <= len(file) and b"compression" in record.fields:
                return head
        place = file.find(_CHUNK_FIELD, place + 1)
    return len(file)


def chunk_records(chunk: Record) -> bytes:
    """Return the records of a chunk; of one that is cut off, as many bytes as there are.

    Raises:
        ValueError: They do not unpack.
    """
    packed, compression = chunk.data, chunk.fields.get(b"compression")
    if compression == b"none":
        return packed
    unpacker = {b"bz2": bz2.BZ2Decompressor, b"lz4": lz4.frame.LZ4FrameDecompressor}.get(
        compression or b""
    )
    if unpacker is None:
        raise ValueError(f"unknown compression {compression!r}")
    whole = chunk.stop <= len(chunk.file)
    try:
        unpacked = unpacker()
        records = bytes(unpacked.decompress(packed))
    except (OSError, EOFError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    if whole and not unpacked.eof:
        raise ValueError("a chunk ends before its end")
    return records
