# SPDX-License-Identifier: Apache-2.0
"""One stream of messages from a recording that was split into several storage files."""

from __future__ import annotations

import copy
import heapq
from collections.abc import Collection, Iterator
from typing import Any

_Message = tuple[Any, int, bytes]


def messages_in_order(
    reader: Any, connections: Collection[Any], start_ns: int | None, end_ns: int | None
) -> Iterator[_Message]:
    """Yield connection, time and bytes in time order, whatever order the files are listed in.

    rosbags reads the files one after another, which is not the order of time where they overlap.
    A file is looked into only when the stream has come to its first message.

    Args:
        reader: An open reader of rosbags, or one that does as it does.
        connections: Those to read.
        start_ns: Leave out what is earlier.
        end_ns: Leave out what is at this time or later.
    """
    folder = getattr(reader, "storage", None)
    storages = getattr(folder, "storages", ())
    if len(storages) < 2:
        yield from reader.messages(connections, start=start_ns, stop=end_ns)
        return
    parts = [_part(folder, storage, connections, start_ns, end_ns) for storage in storages]
    for connection, time_ns, data in heapq.merge(*parts, key=lambda message: message[1]):
        if connection is not None:
            yield connection, time_ns, data


def _part(
    folder: Any,
    storage: Any,
    connections: Collection[Any],
    start_ns: int | None,
    end_ns: int | None,
) -> Iterator[_Message]:
    """The messages of one file, behind a mark that stands where its first one may be."""
    first_ns = int(storage.metadata.start_time)
    yield None, first_ns if start_ns is None else max(first_ns, start_ns), b""
    alone = copy.copy(folder)
    alone.storages = [storage]
    yield from alone.messages(connections, start=start_ns, stop=end_ns)
