# SPDX-License-Identifier: Apache-2.0
"""Read a recording of ROS 2 or ROS 1: topics, and serialized messages in time order."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rosbags.rosbag2 import Reader

from stn_perception.bags.errors import BagError
from stn_perception.bags.qos import TopicQos, from_rosbags
from stn_perception.bags.ros1 import Ros1Recording
from stn_perception.bags.split import messages_in_order
from stn_perception.bags.typestore import make_typestore, types_of_definition

ROS1_SUFFIX = ".bag"
STORAGE_SUFFIXES = (".mcap", ".db3", ROS1_SUFFIX)


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag."""

    name: str
    type_name: str
    message_count: int
    qos: tuple[TopicQos, ...]


@dataclass(frozen=True)
class BagMessage:
    """A message as it lies in the bag.

    Attributes:
        topic: The topic's name.
        type_name: For example ``sensor_msgs/msg/Image``.
        time_ns: When it was recorded.
        data: CDR with its encapsulation header.
    """

    topic: str
    type_name: str
    time_ns: int
    data: bytes


class BagReader:
    """A recording, open for reading inside a ``with`` block.

    rosbag2 recordings are mcap or sqlite3, split or not, compressed by file, message or chunk.
    Messages of a ROS 1 bag are read as CDR of the ROS 2 type.

    Args:
        path: A bag folder, or a single ``.mcap``, ``.db3`` or (ROS 1) ``.bag`` file.

    Raises:
        BagError: On entering, when there is no readable bag with messages at ``path``.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.typestore = make_typestore()
        self._reader: Any = None
        self._notes: list[str] = []

    def __enter__(self) -> BagReader:
        """Open the bag."""
        check_is_bag(self.path)
        ros1 = self.path.suffix == ROS1_SUFFIX and self.path.is_file()
        try:
            reader = Ros1Recording(self.path, self.typestore) if ros1 else Reader(self.path)
            reader.open()
        except Exception as error:  # damaged bytes fail in any of the decoders beneath
            raise BagError(f"the bag {self.path} cannot be read: {_sentence(error)}") from error
        self._reader = reader
        if self.message_count == 0:
            self.close()
            raise BagError(f"the bag {self.path} holds no messages.")
        self._register_types()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the bag."""
        self.close()

    def close(self) -> None:
        """Close the bag; closing twice does nothing."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    @property
    def start_ns(self) -> int:
        """Time of the first message."""
        return int(self._reader.start_time)

    @property
    def end_ns(self) -> int:
        """Time of the last message."""
        return int(self._reader.end_time) - 1

    @property
    def message_count(self) -> int:
        """Messages of all topics."""
        return int(self._reader.message_count)

    @property
    def has_index(self) -> bool:
        """Whether a span of time is found without reading what lies before it."""
        storage = getattr(self._reader, "storage", None)
        parts = getattr(storage, "storages", (storage,))
        # rosbags' reader of mcap knows the chunks from the file's index; sqlite is one itself.
        return all(bool(getattr(part, "chunks", True)) for part in parts)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is read otherwise than it was recorded, or not understood, one sentence each."""
        return (*getattr(self._reader, "notes", ()), *self._notes)

    @property
    def topics(self) -> dict[str, BagTopic]:
        """The topics by name; a topic recorded with two types keeps the first."""
        topics: dict[str, BagTopic] = {}
        for connection in self._reader.connections:
            qos = tuple(from_rosbags(q) for q in connection.ext.offered_qos_profiles)
            known = topics.get(connection.topic)
            topics[connection.topic] = BagTopic(
                connection.topic,
                known.type_name if known else connection.msgtype,
                connection.msgcount + (known.message_count if known else 0),
                qos + (known.qos if known else ()),
            )
        return topics

    def messages(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[BagMessage]:
        """Yield the messages in time order.

        Equal times keep the order of writing (those of a ROS 1 bag within their topic). Reading
        begins at ``start_ns`` wherever that lies in the recording.

        Args:
            topics: Only these; all when left out.
            start_ns: Leave out what is earlier.
            end_ns: Leave out what is at this time or later.

        Raises:
            BagError: A topic asked for is not in the bag, or the file is damaged.
        """
        unknown = sorted(set(topics or ()) - set(self.topics))
        if unknown:
            there = ", ".join(sorted(self.topics))
            raise BagError(f"the bag {self.path} has no topic {unknown[0]}, it has {there}.")
        connections = [c for c in self._reader.connections if topics is None or c.topic in topics]
        stream = messages_in_order(self._reader, connections, start_ns, end_ns)
        while True:
            try:
                connection, time_ns, data = next(stream)
                message = BagMessage(
                    connection.topic, connection.msgtype, int(time_ns), bytes(data)
                )
            except StopIteration:
                return
            except Exception as error:  # damaged bytes fail in any of the decoders beneath
                raise BagError(f"the bag {self.path} is damaged: {_sentence(error)}") from error
            yield message

    def deserialize(self, message: BagMessage) -> Any:
        """Return the message as an object with the fields of its ROS type.

        Raises:
            BagError: The bytes do not fit the type, or the type is unknown.
        """
        try:
            return self.typestore.deserialize_cdr(message.data, message.type_name)
        except Exception as error:  # rosbags raises several unrelated kinds here
            raise BagError(
                f"a message on {message.topic} does not read as {message.type_name}: "
                f"{_sentence(error)}"
            ) from error

    def _register_types(self) -> None:
        """Learn the types that only this bag defines; note those that it defines in vain."""
        self._notes.clear()
        for name, definition in {c.msgtype: c.msgdef for c in self._reader.connections}.items():
            if name in self.typestore.fielddefs:
                continue
            try:
                types = types_of_definition(definition, name)
                known = self.typestore.fielddefs
                self.typestore.register({k: v for k, v in types.items() if k not in known})
            except Exception as error:  # rosbags raises several unrelated kinds here
                self._notes.append(
                    f"messages of {name} are not understood, its definition in the bag cannot be "
                    f"read: {_sentence(error)}"
                )


def check_is_bag(path: Path) -> None:
    """Say in one sentence why ``path`` cannot be a bag, before anything is opened.

    Raises:
        BagError: Nothing is there, or it is no bag.
    """
    if not path.exists():
        raise BagError(f"there is no bag at {path}.")
    if path.is_dir():
        if (path / "metadata.yaml").is_file():
            return
        if any(p.suffix in STORAGE_SUFFIXES for p in path.iterdir()):
            raise BagError(
                f"the bag {path} has no metadata.yaml (an unfinished recording?), open the file "
                "inside it instead."
            )
        raise BagError(f"{path} is not a bag: the folder has no metadata.yaml.")
    if path.suffix not in STORAGE_SUFFIXES:
        raise BagError(f"{path} is not a bag, expected a folder, a .mcap, a .db3 or a .bag file.")


def _sentence(error: BaseException) -> str:
    """Return the first line of an error, closed with a full stop."""
    text = (str(error).splitlines() or [""])[0].strip() or type(error).__name__
    if text == "File end magic is invalid.":
        return "the mcap file is cut off, or not closed yet."
    return text if text.endswith(".") else text + "."
