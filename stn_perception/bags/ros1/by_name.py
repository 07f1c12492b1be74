# SPDX-License-Identifier: Apache-2.0
"""Fill a ROS 2 message from an older form of it, field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
from rosbags.interfaces import Nodetype

from stn_perception.bags.ros1.layouts import source_field

_OCTETS = {"byte": "uint8", "char": "uint8"}


def filled_by_name(store: Any, type_name: str, source: Any) -> Any:
    """Return a message of ``type_name`` with what ``source`` knows of it.

    A part that the source has not is filled from the source's own fields, as newer definitions
    gather in one part what older ones had beside each other; what nothing fills is zero or empty.

    Args:
        store: The rosbags type store of ``type_name``.
        type_name: For example ``vision_msgs/msg/Detection2DArray``.
        source: A rosbags message of another definition, or None for an empty message.
    """
    names = vars(source) if source is not None else {}
    values = {}
    for field, (kind, detail) in store.fielddefs[type_name][1]:
        name = source_field(names, type_name, field)
        if name is None and kind == Nodetype.NAME:
            values[field] = filled_by_name(store, detail, source)
        else:
            values[field] = _value(store, kind, detail, names[name] if name else None)
    return store.types[type_name](**values)


def _value(store: Any, kind: Any, detail: Any, value: Any) -> Any:
    """One field's value; its zero where nothing fits."""
    if kind == Nodetype.BASE:
        return _scalar(detail[0], value)
    if kind == Nodetype.NAME:
        return filled_by_name(store, detail, value if hasattr(value, "__msgtype__") else None)
    return _elements(store, kind, detail, value)


def _scalar(base: str, value: Any) -> Any:
    if base == "string":
        return "" if value is None else str(value)
    number = value if isinstance(value, (bool, int, float, np.number)) else 0
    if base == "bool":
        return bool(number)
    return float(number) if base.startswith("float") else int(number)


def _elements(store: Any, kind: Any, detail: Any, value: Any) -> Any:
    (inner_kind, inner_detail), count = detail
    items = list(value) if isinstance(value, (list, tuple, np.ndarray)) else []
    if kind == Nodetype.ARRAY:  # has its length, whatever the source's is
        items = items[:count] + [None] * (count - len(items))
    values = [_value(store, inner_kind, inner_detail, item) for item in items]
    if inner_kind == Nodetype.BASE and inner_detail[0] != "string":
        return np.array(values, dtype=_OCTETS.get(inner_detail[0], inner_detail[0]))
    return values
