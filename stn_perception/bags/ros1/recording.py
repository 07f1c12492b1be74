# SPDX-License-Identifier: Apache-2.0
"""A ROS 1 bag with the face of a rosbag2 recording."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rosbags.interfaces import ConnectionExtRosbag2, MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag1 import Reader

from stn_perception.bags.qos import TopicQos, to_rosbags
from stn_perception.bags.ros1.conversion import Conversion

_KNOWN = MessageDefinition(MessageDefinitionFormat.NONE, "")


class Ros1Recording:
    """The messages of a ``.bag`` file as CDR of ROS 2 types, open between ``open`` and ``close``.

    It offers what rosbags' reader of rosbag2 does. Topics get the leading slash of a full name; a
    latched topic is offered as transient local.

    Args:
        path: The ``.bag`` file.
        store: Type store that learns the recording's own types.

    Attributes:
        connections: The readable ones, in the form of rosbag2's.
        notes: What was changed or left out, one sentence each.
    """

    def __init__(self, path: Path, store: Any) -> None:
        self.connections: list[Any] = []
        self.notes: list[str] = []
        self._store = store
        self._reader = Reader(path)
        self._own: dict[int, Any] = {}
        self._conversions: dict[int, Conversion] = {}

    def open(self) -> None:
        """Open the file and learn its types.

        Raises:
            Exception: It is damaged; rosbags raises several kinds.
        """
        self._reader.open()
        conversions: dict[tuple[str, str], Conversion | None] = {}
        for connection in self._reader.connections:
            key = (connection.msgtype, connection.msgdef.data)
            if key not in conversions:
                conversions[key] = self._conversion(connection)
            conversion = conversions[key]
            if conversion is not None:
                self._add(connection, conversion)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    @property
    def start_time(self) -> int:
        """Time of the first message."""
        return int(self._reader.start_time)

    @property
    def end_time(self) -> int:
        """A nanosecond after the last message."""
        return int(self._reader.end_time)

    @property
    def message_count(self) -> int:
        """Messages of all readable topics."""
        return sum(connection.msgcount for connection in self.connections)

    def messages(
        self, connections: Collection[Any], start: int | None = None, stop: int | None = None
    ) -> Iterator[tuple[Any, int, bytes]]:
        """Yield connection, time and CDR in time order, from ``start`` to before ``stop``."""
        shown = {connection.id: connection for connection in connections}
        if not shown:
            return
        chosen = [self._own[key] for key in shown]
        for own, time_ns, data in self._reader.messages(chosen, start, stop):
            yield shown[own.id], time_ns, self._conversions[own.id].cdr(data)

    def _conversion(self, connection: Any) -> Conversion | None:
        """How a connection's type is read; None, and a note, where it cannot be."""
        name = connection.msgtype
        try:
            conversion = Conversion(self._store, name, connection.msgdef.data)
        except Exception as error:  # rosbags raises several unrelated kinds here
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            self.notes.append(
                f"the topic {connection.topic} is left out, its type {name} is defined in a way "
                f"that cannot be read: {reason}."
            )
            return None
        if conversion.left_out:
            fields = ", ".join(sorted(conversion.left_out))
            self.notes.append(
                f"{name} of ROS 1 has fields that {conversion.type_name} of ROS 2 has not, they "
                f"are left out: {fields}."
            )
        return conversion

    def _add(self, connection: Any, conversion: Conversion) -> None:
        topic = connection.topic
        if not topic.startswith("/"):
            self.notes.append(f"the topic {topic} has no leading slash, it is read as /{topic}.")
            topic = f"/{topic}"
        self._own[connection.id] = connection
        self._conversions[connection.id] = conversion
        qos = TopicQos("reliable", "transient_local", 1) if connection.ext.latching else TopicQos()
        shown = connection._replace(
            topic=topic,
            msgtype=conversion.type_name,
            msgdef=_KNOWN,
            ext=ConnectionExtRosbag2("cdr", [to_rosbags(qos)]),
        )
        self.connections.append(shown)
