# SPDX-License-Identifier: Apache-2.0
"""Walk through the records of an mcap file, over whatever is damaged.

The format is that of https://mcap.dev/spec: a record is an opcode, a length and its content. A
record whose length cannot be is where the walk lost its way; it goes on at the next chunk whose
inner lengths agree with each other.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import lz4.frame  # type: ignore[import-untyped]
import zstandard

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, STATISTICS, DATA_END = 3, 4, 5, 6, 7, 11, 15
# Records that hold nothing of a message: indexes, counts, attachments and the like.
WITHOUT_MESSAGES = (2, MESSAGE_INDEX, 8, 9, 10, STATISTICS, 12, 13, 14, DATA_END)
_KNOWN = (*range(1, 16), *range(128, 256))  # the latter are applications' own
_HEAD_LENGTH = 9
_CHUNK_HEAD = struct.Struct("<QQQII")  # start, end, uncompressed size, crc, compression's length
_COMPRESSIONS = (b"", b"lz4", b"zstd")
Data = bytes | mmap.mmap


@dataclass(frozen=True, eq=False)
class Record:
    """A record as it lies in the file.

    Attributes:
        opcode: What it is.
        data: The file.
        start: Where its content begins, in bytes.
        stop: Where it ends.
    """

    opcode: int
    data: Data
    start: int
    stop: int

    @property
    def content(self) -> bytes:
        """Its bytes."""
        return bytes(self.data[self.start : self.stop])


@dataclass(frozen=True, eq=False)
class Gap:
    """Bytes that hold no whole record.

    Attributes:
        start: Where they begin.
        length: How many they are.
        opcode: Of the record that the file's end cuts off; 0 where it is damage of another kind.
        tail: The bytes of a chunk that is cut off so.
    """

    start: int
    length: int
    opcode: int = 0
    tail: bytes = b""


def walk(data: Data) -> Iterator[Record | Gap]:
    """Yield the records one after another, and the gaps between them.

    Args:
        data: The file, or the records of a chunk.
    """
    place, end = 0, len(data)
    while place < end:
        if data[place : place + len(MAGIC)] == MAGIC:
            place += len(MAGIC)
            continue
        stop = _stop(data, place)
        sound = stop is not None and stop <= end
        if sound and (data[place] != CHUNK or _is_chunk(data, place)):
            assert stop is not None
            if data[place] == CHUNK and not _may_follow(data, stop):
                stop = min(stop, next_chunk(data, place + 1))  # bytes within it are missing
            yield Record(data[place], data, place + _HEAD_LENGTH, stop)
            place = stop
            continue
        following = next_chunk(data, place + 1)
        opcode = data[place] if stop is not None and following == end else 0
        tail = bytes(data[place:end]) if opcode == CHUNK else b""
        yield Gap(place, following - place, opcode, tail)
        place = following


def _stop(data: Data, place: int) -> int | None:
    """Where the record at a place ends; None where there is none."""
    if place + _HEAD_LENGTH > len(data) or data[place] not in _KNOWN:
        return None
    (length,) = struct.unpack_from("<Q", data, place + 1)
    return int(place + _HEAD_LENGTH + length)


def _may_follow(data: Data, place: int) -> bool:
    """Tell whether a record, or the file's end, is at a place."""
    stop = _stop(data, place)
    return place == len(data) or (stop is not None and stop <= len(data))


def next_chunk(data: Data, start: int) -> int:
    """Return where the next whole chunk begins, or the file's end."""
    place = data.find(bytes([CHUNK]), start)
    while place >= 0 and not _is_chunk(data, place):
        place = data.find(bytes([CHUNK]), place + 1)
    return len(data) if place < 0 else place


def _is_chunk(data: Data, place: int) -> bool:
    """Tell whether a chunk's lengths, times and compression agree with each other."""
    stop = _stop(data, place)
    inner = place + _HEAD_LENGTH
    if stop is None or stop > len(data) or stop < inner + _CHUNK_HEAD.size + 8:
        return False
    begin_ns, end_ns, _, _, length = _CHUNK_HEAD.unpack_from(data, inner)
    after = inner + _CHUNK_HEAD.size
    if length > 4 or data[after : after + length] not in _COMPRESSIONS:
        return False
    (size,) = struct.unpack_from("<Q", data, after + length)
    return begin_ns <= end_ns and bool(after + length + 8 + size == stop)


def chunk_records(content: bytes) -> bytes:
    """Return the records of a chunk.

    Args:
        content: Of the chunk record.

    Raises:
        ValueError: They are damaged: they do not unpack, or size or checksum differ.
    """
    compression, packed, size, crc = _parts(content)
    try:
        if compression == b"zstd":
            records = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
        elif compression == b"lz4":
            records = lz4.frame.decompress(packed)
        else:
            records = packed
    except (zstandard.ZstdError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    if len(records) != size or (crc and zlib.crc32(records) != crc):
        raise ValueError("size or checksum of a chunk differ")
    return bytes(records)


def cut_chunk_records(tail: bytes) -> bytes:
    """Return as much of the records of a chunk as a file holds that ends within it.

    Args:
        tail: From the chunk's opcode on.
    """
    try:
        compression, packed, _, _ = _parts(tail[_HEAD_LENGTH:])
    except (ValueError, struct.error):
        return b""
    try:
        if compression == b"zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(packed)
        if compression == b"lz4":
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(packed))
    except (zstandard.ZstdError, RuntimeError):
        return b""
    return packed


def _parts(content: bytes) -> tuple[bytes, bytes, int, int]:
    """Compression, packed records, their unpacked size and checksum (0 for none).

    Raises:
        ValueError: It is no chunk.
    """
    if len(content) < _CHUNK_HEAD.size:
        raise ValueError("a chunk is too short")
    _, _, size, crc, length = _CHUNK_HEAD.unpack_from(content)
    after = _CHUNK_HEAD.size + length
    compression = content[_CHUNK_HEAD.size : after]
    if compression not in _COMPRESSIONS:
        raise ValueError(f"unknown compression {compression!r}")
    return compression, content[after + 8 :], size, crc
