# SPDX-License-Identifier: Apache-2.0
"""Results as plain JSON values and back, exactly; nothing that runs when it is read."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from stn_perception.bags.truth import TrueObject
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.results import DroppedRegion, Prediction, ViewEstimate

_KIND = "!"
# What JSON writes and reads back as it is.
_ATOMS = frozenset({type(None), bool, int, float, str})
_KINDS: dict[str, type[Any]] = {}
_FIELDS: dict[type[Any], tuple[str, ...]] = {}


def register(kind: type[Any]) -> type[Any]:
    """Let a dataclass of this room be written; for use as a decorator."""
    _KINDS[kind.__name__] = kind
    _FIELDS[kind] = tuple(field.name for field in fields(kind))
    return kind


for _kind in (
    AxisAlignedBox,
    DroppedRegion,
    OrientedBox,
    PinholeIntrinsics,
    Prediction,
    Region,
    RejectedRegion,
    TrueObject,
    ViewEstimate,
):
    register(_kind)


def to_plain(value: Any) -> Any:
    """Dataclasses, arrays and mappings as JSON values; floats keep every bit.

    Raises:
        TypeError: The value is of a kind that is not known.
    """
    kind = type(value)
    if kind in _ATOMS:
        return value
    names = _FIELDS.get(kind)
    if names is not None:
        written = {_KIND: kind.__name__}
        for name in names:
            inner = getattr(value, name)
            written[name] = inner if type(inner) in _ATOMS else to_plain(inner)
        return written
    if isinstance(value, np.ndarray):
        return {
            _KIND: "array",
            "type": value.dtype.str,
            "shape": value.shape,
            "values": b2a_base64(value.tobytes(), newline=False).decode("ascii"),
        }
    if isinstance(value, (tuple, list)):
        return [to_plain(inner) for inner in value]
    if isinstance(value, Mapping):
        pairs = [[to_plain(key), to_plain(inner)] for key, inner in value.items()]
        return {_KIND: "mapping", "pairs": pairs}
    if isinstance(value, DropReason):
        return {_KIND: "reason", "value": value.value}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {kind.__name__} cannot be written as JSON")


def from_plain(value: Any) -> Any:
    """The inverse of ``to_plain``; sequences come back as tuples.

    Raises:
        ValueError: The value was not written by it.
    """
    if type(value) is list:
        return tuple([from_plain(inner) for inner in value])
    if type(value) is not dict:
        return value
    name = str(value.get(_KIND))
    kind = _KINDS.get(name)
    if kind is not None:
        return kind(
            **{
                key: inner if type(inner) in _ATOMS else from_plain(inner)
                for key, inner in value.items()
                if key != _KIND
            }
        )
    if name == "array":
        octets = a2b_base64(value["values"], strict_mode=True)
        return np.frombuffer(octets, dtype=value["type"]).reshape(value["shape"])
    if name == "mapping":
        return {from_plain(key): from_plain(inner) for key, inner in value["pairs"]}
    if name == "reason":
        return DropReason(value["value"])
    raise ValueError(f"{name!r} is no kind of result")
