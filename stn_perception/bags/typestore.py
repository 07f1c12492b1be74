# SPDX-License-Identifier: Apache-2.0
"""Message types for reading and writing bags without a ROS install.

The types of the common interfaces come with ``rosbags``; ``vision_msgs`` and ``tf2_msgs`` come
from the definitions beside this file. A type of a user's own is taken from the bag that carries
its definition, or from the ``share/<package>/msg`` folder of an installed package.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rosbags.interfaces import MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from stn_perception.bags.errors import BagError

DEFINITIONS = Path(__file__).parent / "definitions"
_STAMP_END = 12  # encapsulation, seconds, nanoseconds
_IDL_SEPARATOR = re.compile(r"^={80}\nIDL: .*\n", re.MULTILINE)
_TYPE_NAME = re.compile(r"^[A-Za-z]\w*/msg/[A-Za-z]\w*$")


def make_typestore() -> Any:
    """Return a fresh rosbags type store with the standard types and this package's definitions."""
    store = get_typestore(Stores.LATEST)
    found: dict[str, Any] = {}
    for path in sorted(DEFINITIONS.glob("*/msg/*.msg")):
        name = f"{path.parent.parent.name}/msg/{path.stem}"
        if name not in store.fielddefs:
            found.update(get_types_from_msg(path.read_text(encoding="utf-8"), name))
    store.register(found)
    return store


def types_of_definition(definition: Any, type_name: str) -> dict[str, Any]:
    """Return the types that a recording defines for one of its topics; none where it does not.

    Args:
        definition: A rosbags ``MessageDefinition``, in the message or the interface language.
        type_name: For example ``my_msgs/msg/Weight``.

    Raises:
        Exception: The definition cannot be read; rosbags raises several kinds.
    """
    if definition.format == MessageDefinitionFormat.MSG:
        return dict(get_types_from_msg(definition.data, type_name))
    types: dict[str, Any] = {}
    if definition.format == MessageDefinitionFormat.IDL:
        # rosbag2 joins the files of nested types, each below a line that names it.
        for part in _IDL_SEPARATOR.split(definition.data):
            if part.strip():
                types.update(get_types_from_idl(part))
    return types


def share_folders() -> tuple[Path, ...]:
    """Return the ``share`` folders of installed ROS packages, the overlay's first."""
    prefixes = [p for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return tuple(Path(prefix) / "share" for prefix in (*prefixes, sys.prefix))


def ensure_type(store: Any, type_name: str, shares: Iterable[Path] | None = None) -> None:
    """Make ``type_name`` known to ``store``, from an installed package's definition if need be.

    Args:
        store: A rosbags type store.
        type_name: For example ``sensor_msgs/msg/Image``.
        shares: Folders with ``<package>/msg/<Name>.msg``; the installed ones when left out.

    Raises:
        BagError: The definition of the type, or of a type it is made of, was not found.
    """
    if type_name in store.fielddefs:
        return
    if not _TYPE_NAME.match(type_name):
        raise BagError(f"'{type_name}' is no message type, expected a name like pkg/msg/Name.")
    folders = tuple(shares) if shares is not None else share_folders()
    found: dict[str, Any] = {}
    wanted = [type_name]
    while wanted:
        name = wanted.pop()
        if name in found or name in store.fielddefs:
            continue
        package, _, short = name.split("/")
        path = next(
            (p for f in folders if (p := f / package / "msg" / f"{short}.msg").is_file()), None
        )
        if path is None:
            raise BagError(f"the definition of {name} was not found, install {package}.")
        types = get_types_from_msg(path.read_text(encoding="utf-8"), name)
        found.update(types)
        for _, fields in types.values():
            wanted.extend(_named_types(fields))
    store.register(found)


def _named_types(fields: Iterable[tuple[str, Any]]) -> list[str]:
    """Return the message types among a rosbags field list, looking into arrays."""
    names = []
    for _, (_, detail) in fields:
        inner = detail[0][1] if isinstance(detail[0], tuple) else detail
        if isinstance(inner, str):
            names.append(inner)
    return names


def starts_with_header(store: Any, type_name: str) -> bool:
    """Tell whether the type's first field is a ``std_msgs/Header``."""
    _, fields = store.fielddefs[type_name]
    return bool(fields) and fields[0][1][1] == "std_msgs/msg/Header"


def header_stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialized message that starts with a header, without decoding it.

    Args:
        data: CDR with its four byte encapsulation header (OMG DDS-XTypes 7.4.3).

    Raises:
        BagError: The message ends before its stamp does.
    """
    if len(data) < _STAMP_END:
        raise BagError(f"a message of {len(data)} bytes is too short for a header.")
    order = "<" if data[1] & 1 else ">"
    sec, nanosec = struct.unpack_from(order + "iI", data, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)
