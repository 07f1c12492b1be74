# SPDX-License-Identifier: Apache-2.0
"""Write a rosbag2 recording that is either complete or absent."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from stn_perception.bags.errors import BagError
from stn_perception.bags.qos import TopicQos, to_rosbags
from stn_perception.bags.replacing import ReplacedFolder
from stn_perception.bags.typestore import ensure_type, make_typestore

# The newest metadata version that keeps QoS as a string, which older rosbag2 expects.
_METADATA_VERSION: Literal[8] = 8


class BagWriter:
    """A rosbag2 recording being written inside a ``with`` block.

    Everything goes into a hidden sibling folder. Leaving the block normally renames it to
    ``path``; leaving it by an exception, or without a single message, removes it. So a bag at
    ``path`` is always a complete one, and an older one stays until the new one is complete.

    Args:
        path: The bag's folder.
        overwrite: Take the place of a bag that is there; otherwise that is an error.
        storage: ``mcap`` or ``sqlite3``.
        compress: Compress mcap chunks (zstd).
        typestore: Where the types are looked up; a fresh one when left out.

    Raises:
        BagError: On entering, when ``path`` is taken and is not to be overwritten, or is no bag.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        overwrite: bool = False,
        storage: Literal["mcap", "sqlite3"] = "mcap",
        compress: bool = True,
        typestore: Any = None,
    ) -> None:
        self.path = Path(path).absolute()
        self.typestore = typestore if typestore is not None else make_typestore()
        self.message_count = 0
        self._overwrite = overwrite
        self._storage = StoragePlugin[storage.upper()]
        self._compress = compress and storage == "mcap"
        self._folder = ReplacedFolder(self.path)
        self._connections: dict[str, Any] = {}
        self._writer: Any = None

    def __enter__(self) -> BagWriter:
        """Start the recording in its hidden place."""
        if self.path.exists():
            if not self._overwrite:
                raise BagError(f"{self.path} exists already, choose another name or --overwrite.")
            if not (self.path / "metadata.yaml").is_file():
                raise BagError(f"{self.path} exists and is not a bag, it is not overwritten.")
        try:
            work = self._folder.begin()
        except OSError as error:
            raise BagError(f"no bag can be written at {self.path}: {error.strerror}.") from error
        # rosbags names the storage file like its folder; rosbag2 adds the number of the part.
        self._writer = Writer(
            work / f"{self.path.name}_0", version=_METADATA_VERSION, storage_plugin=self._storage
        )
        if self._compress:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._writer.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the bag in place, or remove it after an exception or when it stayed empty."""
        writer, self._writer = self._writer, None
        if kind is not None or self.message_count == 0:
            writer.abort()
            self._folder.discard()
            return
        try:
            writer.close()
            for file in writer.path.iterdir():
                file.rename(self._folder.work / file.name)
            writer.path.rmdir()
        except BaseException:
            writer.abort()
            self._folder.discard()
            raise
        self._folder.finish()

    def add_topic(self, name: str, type_name: str, qos: tuple[TopicQos, ...] = ()) -> None:
        """Declare a topic; declaring the same again does nothing.

        Raises:
            BagError: The type's definition is not known, or the topic has another type already.
        """
        known = self._connections.get(name)
        if known is not None:
            if known.msgtype != type_name:
                raise BagError(f"{name} holds {known.msgtype}, it cannot also hold {type_name}.")
            return
        ensure_type(self.typestore, type_name)
        self._connections[name] = self._writer.add_connection(
            name,
            type_name,
            typestore=self.typestore,
            offered_qos_profiles=[to_rosbags(q) for q in qos],
        )

    def write(self, topic: str, time_ns: int, data: bytes) -> None:
        """Write a serialized message of a declared topic.

        Args:
            topic: A declared topic.
            time_ns: When the message was received.
            data: CDR with its encapsulation header.
        """
        connection = self._connections.get(topic)
        if connection is None:
            raise BagError(f"{topic} was not declared before writing to it.")
        self._writer.write(connection, time_ns, data)
        self.message_count += 1

    def write_message(self, topic: str, time_ns: int, message: Any) -> None:
        """Serialize and write a message made by ``RosbagsFactory``."""
        data = self.typestore.serialize_cdr(message, message.__msgtype__)
        self.write(topic, time_ns, bytes(data))
