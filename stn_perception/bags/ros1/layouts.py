# SPDX-License-Identifier: Apache-2.0
"""What a message type looks like on the wire, to see whether two definitions agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rosbags.interfaces import Nodetype

Layout = tuple[Any, ...]
# Fields that ROS 2 calls otherwise, by its type and field.
RENAMED = {
    ("vision_msgs/msg/ObjectHypothesis", "class_id"): "id",
    ("vision_msgs/msg/Detection2D", "id"): "tracking_id",
}


def wire_layout(fielddefs: Mapping[str, Any], type_name: str) -> Layout:
    """Return the types of a message's fields in their order, nested ones unfolded, without names.

    Args:
        fielddefs: Of a rosbags type store.
        type_name: For example ``sensor_msgs/msg/Image``.
    """
    return tuple(_of_field(fielddefs, field) for _, field in fielddefs[type_name][1])


def _of_field(fielddefs: Mapping[str, Any], field: Any) -> Layout:
    kind, detail = field
    if kind == Nodetype.BASE:
        return (detail[0],)
    if kind == Nodetype.NAME:
        return wire_layout(fielddefs, detail)
    return (kind, 0 if kind == Nodetype.SEQUENCE else detail[1], _of_field(fielddefs, detail[0]))


def source_field(names: Mapping[str, Any], type_name: str, field: str) -> str | None:
    """Return which of a message's own fields fills a field of the ROS 2 type, if any.

    Args:
        names: The message's fields by name.
        type_name: The ROS 2 type.
        field: Its field.
    """
    if field in names:
        return field
    renamed = RENAMED.get((type_name, field))
    if renamed in names:
        return renamed
    # ROS 1 wrote some in capitals, such as CameraInfo's K.
    return next((name for name in names if name.lower() == field.lower()), None)


def fields_left_out(
    own: Mapping[str, Any], ros2: Mapping[str, Any], own_type: str, type_name: str
) -> set[str]:
    """Return the fields of ``own_type`` that have no place in the ROS 2 type, as dotted paths."""
    sources = dict(own[own_type][1])
    return _names(sources) - set(_placed(own, ros2, sources, type_name)) | {
        f"{name}.{inner}"
        for name, source, target in _nested(own, ros2, sources, type_name)
        for inner in fields_left_out(own, ros2, source, target)
    }


def _names(sources: Mapping[str, Any]) -> set[str]:
    return set(sources) - {"structure_needs_at_least_one_member"}


def _placed(
    own: Mapping[str, Any], ros2: Mapping[str, Any], sources: Mapping[str, Any], type_name: str
) -> Iterator[str]:
    """The own fields that some field of the ROS 2 type takes, directly or in a part of it."""
    for field, (kind, detail) in ros2[type_name][1]:
        source = source_field(sources, type_name, field)
        if source is not None:
            yield source
        elif kind == Nodetype.NAME:
            yield from _placed(own, ros2, sources, detail)


def _nested(
    own: Mapping[str, Any], ros2: Mapping[str, Any], sources: Mapping[str, Any], type_name: str
) -> Iterator[tuple[str, str, str]]:
    """Name, own type and ROS 2 type of the fields that hold messages in both."""
    for field, definition in ros2[type_name][1]:
        source = source_field(sources, type_name, field)
        target_type = message_type(definition)
        if source is not None:
            own_type = message_type(sources[source])
            if own_type and target_type:
                yield source, own_type, target_type
        elif target_type and definition[0] == Nodetype.NAME:
            yield from _nested(own, ros2, sources, target_type)


def message_type(field: Any) -> str | None:
    """Return the message type of a field, or of the elements of a list; None for numbers."""
    kind, detail = field
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        kind, detail = detail[0]
    return str(detail) if kind == Nodetype.NAME else None
