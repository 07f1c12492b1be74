# SPDX-License-Identifier: Apache-2.0
"""Read the rows of a sqlite file from its pages, whatever became of the pages above them.

The format is that of https://www.sqlite.org/fileformat2.html. Rows lie in the leaf pages of
tables; sqlite itself finds these through interior pages, and gives up where one of those is
missing. Here every leaf page that is there is read by itself.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEAD_LENGTH = 100  # of the file, before the first page's own
_LEAF = 0x0D
_INTEGER_LENGTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Row:
    """A row of some table: its number, and its columns (None, int, str or bytes)."""

    number: int
    columns: Sequence[int | str | bytes | None]


@dataclass(frozen=True)
class BrokenRow:
    """A row that lies in a part of the file which is missing, or goes on there."""

    number: int


class SqlitePages:
    """The pages of a sqlite file.

    Args:
        data: The file.

    Raises:
        ValueError: It is no sqlite file.
    """

    def __init__(self, data: mmap.mmap | bytes) -> None:
        if data[: len(_MAGIC)] != _MAGIC or len(data) < _HEAD_LENGTH:
            raise ValueError("it is no sqlite file")
        (size,) = struct.unpack_from(">H", data, 16)
        self._data = data
        self._size = 65536 if size == 1 else size
        if self._size < 512 or self._size & (self._size - 1):
            raise ValueError(f"a page size of {self._size} bytes cannot be")
        self._usable = self._size - data[20]
        self.count = -(-len(data) // self._size)  # the last one may be cut off
        (self.count_wanted,) = struct.unpack_from(">I", data, 28)

    @property
    def missing_bytes(self) -> int:
        """How much of the file is cut off, by what its head says."""
        return int(max(0, self.count_wanted * self._size - len(self._data)))

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Yield the rows of all tables, in the order of their pages."""
        for page in range(1, self.count + 1):
            start = (page - 1) * self._size
            head = start + (_HEAD_LENGTH if page == 1 else 0)
            for place in self._cells(head, start + self._size):
                row = self._row(start, place)
                if row is not None:
                    yield row

    def _cells(self, head: int, end: int) -> Sequence[int]:
        """Where the rows of a page lie in it; none where it is no leaf page of a table."""
        if head + 8 > len(self._data) or self._data[head] != _LEAF:
            return ()
        (count,) = struct.unpack_from(">H", self._data, head + 3)
        if head + 8 + 2 * count > min(end, len(self._data)):
            return ()
        return struct.unpack_from(f">{count}H", self._data, head + 8)

    def _row(self, start: int, place: int) -> Row | BrokenRow | None:
        """A cell's row; None where it is none."""
        number = 0
        if start + place >= len(self._data):
            return BrokenRow(number)
        try:
            length, at = _varint(self._data, start + place)
            number, at = _varint(self._data, at)
            payload = self._payload(start, at, length)
        except _BrokenChainError:
            return BrokenRow(number)
        except (IndexError, struct.error):
            return None
        try:
            return Row(number, _columns(payload))
        except (IndexError, struct.error, UnicodeDecodeError, ValueError):
            return None

    def _payload(self, start: int, at: int, length: int) -> bytes:
        """A row's bytes, from its page and the chain of pages in which it goes on."""
        end = start + self._size
        most = self._usable - 35
        if length <= most:
            if at + length > end:
                raise IndexError(at)
            if at + length > len(self._data):
                raise _BrokenChainError
            return bytes(self._data[at : at + length])
        least = (self._usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (self._usable - 4)
        local = local if local <= most else least
        if at + local + 4 > end or length > self.count_wanted * self._size + len(self._data):
            raise IndexError(at)
        parts, missing = [bytes(self._data[at : at + local])], length - local
        (page,) = struct.unpack_from(">I", self._data, at + local)
        while missing > 0:
            begin = (page - 1) * self._size
            length = min(missing, self._usable - 4)
            if page < 1 or begin + 4 + length > len(self._data):
                raise _BrokenChainError
            (page,) = struct.unpack_from(">I", self._data, begin)
            parts.append(bytes(self._data[begin + 4 : begin + 4 + length]))
            missing -= length
        return b"".join(parts)


class _BrokenChainError(Exception):
    """A row goes on in a page that is not there."""


def _varint(data: mmap.mmap | bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and where it ends."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9


def _columns(payload: bytes) -> list[int | str | bytes | None]:
    """The columns of a record.

    Raises:
        ValueError: The record's lengths do not agree with each other.
    """
    head, at = _varint(payload, 0)
    kinds = []
    while at < head:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    columns: list[int | str | bytes | None] = []
    for kind in kinds:
        length = _INTEGER_LENGTHS.get(kind, (kind - 12) // 2 if kind >= 12 else 0)
        part = payload[at : at + length]
        if kind in (7, 10, 11) or len(part) != length:
            raise ValueError("no record of ours")
        at += length
        columns.append(_column(kind, part))
    if at != len(payload):
        raise ValueError("no record of ours")
    return columns


def _column(kind: int, part: bytes) -> int | str | bytes | None:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind < 12:
        return int.from_bytes(part, "big", signed=True)
    return part.decode() if kind % 2 else part
