# SPDX-License-Identifier: Apache-2.0
"""The recording once more, with what the node would have published beside it."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from stn_perception.bags.errors import BagError
from stn_perception.bags.reader import BagMessage, BagReader
from stn_perception.bags.replacing import ReplacedFolder
from stn_perception.bags.writer import BagWriter

_SINGLE_FILE = ".mcap"


class WriteBack:
    """Collects messages camera by camera; ``finish`` merges them with the input by time.

    Everything lies in a hidden folder beside the target until it is whole. Leaving the ``with``
    block removes it; what a killed process left is removed by the next one.

    Args:
        target: ``OUT.mcap`` for a single file, any other name for a bag folder.

    Raises:
        BagError: On entering, when there is something at the target already.
    """

    def __init__(self, target: Path) -> None:
        self.target = target.absolute()
        self._folder = ReplacedFolder(self.target)
        self._parts: list[Path] = []

    def __enter__(self) -> WriteBack:
        """Make the hidden folder."""
        if self.target.exists():
            raise BagError(f"{self.target} exists already, choose another name.")
        self._folder.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the hidden folder."""
        self._folder.discard()

    def part(self) -> BagWriter:
        """A new part, for the messages of one camera in the order of time."""
        self._parts.append(self._folder.work / f"part{len(self._parts)}")
        return BagWriter(self._parts[-1], compress=False)

    def finish(self, source: Path) -> int:
        """Merge the input with the parts and put the recording in place.

        Args:
            source: The input.

        Returns:
            The number of messages that were added.
        """
        merged = self._folder.work / (self.target.stem or "bag")
        with contextlib.ExitStack() as stack:
            reader = stack.enter_context(BagReader(source))
            writer = stack.enter_context(BagWriter(merged, typestore=reader.typestore))
            # A part without a single message was not written.
            parts = [stack.enter_context(BagReader(p)) for p in self._parts if p.exists()]
            for each in (reader, *parts):
                for topic in each.topics.values():
                    writer.add_topic(topic.name, topic.type_name, topic.qos)
            streams = [_numbered(r.messages(), n) for n, r in enumerate((reader, *parts))]
            for _, _, message in heapq.merge(*streams, key=lambda item: item[:2]):
                writer.write(message.topic, message.time_ns, message.data)
            added = sum(part.message_count for part in parts)
        self._put_in_place(merged)
        return added

    def _put_in_place(self, merged: Path) -> None:
        if self.target.suffix == _SINGLE_FILE:
            (file,) = merged.glob(f"*{_SINGLE_FILE}")
            file.rename(self.target)
        else:
            merged.rename(self.target)


def _numbered(
    messages: Iterator[BagMessage], number: int
) -> Iterator[tuple[int, int, BagMessage]]:
    """Messages with their time and the number of their stream, which decides between equals."""
    for message in messages:
        yield message.time_ns, number, message
