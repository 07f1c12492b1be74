# SPDX-License-Identifier: Apache-2.0
"""From the bytes of a ROS 1 message to CDR of the ROS 2 type.

Where both definitions agree on the wire (but for ``Header.seq``, which ROS 2 has not), the bytes
are rearranged; where they differ, the message is read by the recording's own definition and
filled into the ROS 2 type by the names of its fields.
"""

from __future__ import annotations

from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from stn_perception.bags.ros1.by_name import filled_by_name
from stn_perception.bags.ros1.layouts import fields_left_out, wire_layout

_HEADER = "std_msgs/msg/Header"
# What ROS 2 has under another name, with the same fields.
_RENAMED_TYPES = {
    "tf/msg/tfMessage": "tf2_msgs/msg/TFMessage",
    "roslib/msg/Header": _HEADER,
}


class Conversion:
    """How the messages of one ROS 1 definition become CDR.

    Args:
        store: The reader's type store; types that it does not know are added to it.
        own_type: The recording's name of the type, as ``package/msg/Name``.
        definition: The text that the recording carries; empty where it carries none.

    Attributes:
        type_name: The ROS 2 type.
        left_out: Fields of the recording that the ROS 2 type has no place for.

    Raises:
        Exception: rosbags cannot read the definition.
    """

    def __init__(self, store: Any, own_type: str, definition: str) -> None:
        self.type_name = _RENAMED_TYPES.get(own_type, own_type)
        self._store = store
        self._own_type = own_type
        self._own = _own_store(store, own_type, definition)
        unknown = {
            name: fields
            for name, fields in self._own.fielddefs.items()
            if name not in store.fielddefs and name not in _RENAMED_TYPES
        }
        store.register(unknown)
        own, ros2 = self._own.fielddefs, store.fielddefs
        self._agrees = wire_layout(own, own_type) == wire_layout(ros2, self.type_name)
        self.left_out = frozenset(
            () if self._agrees else fields_left_out(own, ros2, own_type, self.type_name)
        )

    def cdr(self, data: bytes) -> bytes:
        """Convert one message.

        Raises:
            Exception: The bytes do not fit the definition; rosbags raises several kinds.
        """
        own_cdr = self._own.ros1_to_cdr(data, self._own_type)
        if self._agrees:
            return bytes(own_cdr)
        message = self._own.deserialize_cdr(own_cdr, self._own_type)
        filled = filled_by_name(self._store, self.type_name, message)
        return bytes(self._store.serialize_cdr(filled, self.type_name))


def _own_store(store: Any, own_type: str, definition: str) -> Any:
    """A type store of the recording's own definition, with the header that ROS 2 knows."""
    own = get_typestore(Stores.EMPTY)
    if definition.strip() or own_type not in store.fielddefs:
        types = get_types_from_msg(definition, own_type)
    else:
        types = dict(store.fielddefs)
    # rosbags skips the header's seq by itself when it converts.
    types = {**types, _HEADER: store.fielddefs[_HEADER]}
    own.register({k: v for k, v in types.items() if k not in own.fielddefs})
    return own
