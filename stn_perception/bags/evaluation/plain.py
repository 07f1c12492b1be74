# SPDX-License-Identifier: Apache-2.0
"""Results as plain JSON values and back, exactly; nothing that runs when it is read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from stn_perception.bags.truth import TrueObject
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.results import DroppedRegion, Prediction, ViewEstimate

_KIND = "!"
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        AxisAlignedBox,
        DroppedRegion,
        OrientedBox,
        PinholeIntrinsics,
        Prediction,
        Region,
        RejectedRegion,
        TrueObject,
        ViewEstimate,
    )
}


def register(kind: type[Any]) -> type[Any]:
    """Let a dataclass of this room be written; for use as a decorator."""
    _KINDS[kind.__name__] = kind
    return kind


def to_plain(value: Any) -> Any:
    """Dataclasses, arrays and mappings as JSON values; floats keep every bit.

    Raises:
        TypeError: The value is of a kind that is not known.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, DropReason):
        return {_KIND: "reason", "value": value.value}
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return {
            _KIND: "array",
            "type": value.dtype.str,
            "shape": value.shape,
            "values": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode(),
        }
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        pairs = [[to_plain(key), to_plain(inner)] for key, inner in value.items()]
        return {_KIND: "mapping", "pairs": pairs}
    if isinstance(value, (tuple, list)):
        return [to_plain(inner) for inner in value]
    if is_dataclass(value) and type(value).__name__ in _KINDS:
        named = {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
        return {_KIND: type(value).__name__, **named}
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def from_plain(value: Any) -> Any:
    """The inverse of ``to_plain``; sequences come back as tuples.

    Raises:
        ValueError: The value was not written by it.
    """
    if isinstance(value, list):
        return tuple(from_plain(inner) for inner in value)
    if not isinstance(value, dict):
        return value
    name = value.get(_KIND)
    if name == "reason":
        return DropReason(value["value"])
    if name == "array":
        octets = base64.b64decode(value["values"], validate=True)
        return np.frombuffer(octets, dtype=value["type"]).reshape(value["shape"])
    if name == "mapping":
        return {from_plain(key): from_plain(inner) for key, inner in value["pairs"]}
    kind = _KINDS.get(str(name))
    if kind is None:
        raise ValueError(f"{name!r} is no kind of result")
    return kind(**{key: from_plain(inner) for key, inner in value.items() if key != _KIND})
