# SPDX-License-Identifier: Apache-2.0
"""Messages straight to the bytes that go over the wire, without message objects between.

rclpy copies a message twice on its way out, field by field: into a C structure and from there
into bytes. For four objects with poses and covariances that takes as long as warping their views.
Here the same bytes are packed at once; the order of the fields comes from the installed message
classes, so that they are always those of the types that were advertised.

The bytes are plain CDR, little-endian (OMG, DDS interoperability wire protocol 2.3, section 10):
primitives lie at multiples of their size counted from the end of the four bytes that tell the
encoding, strings are their length with the ending zero, then the text, sequences their length,
then the elements.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosidl_parser.definition import (
    AbstractSequence,
    AbstractString,
    Array,
    BasicType,
    NamespacedType,
)

from stn_perception.node.message_factory import message_class

_LITTLE_ENDIAN_CDR = b"\x00\x01\x00\x00"
_LARGEST_ALIGNMENT = 8
_CODES = {
    "boolean": "?",
    "octet": "B",
    "char": "B",
    "uint8": "B",
    "int8": "b",
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "uint64": "Q",
    "int64": "q",
    "float": "f",
    "double": "d",
}


@dataclass(frozen=True)
class Draft:
    """A message that is not serialized yet.

    Attributes:
        layout: Of its type.
        values: Of a fixed type all numbers in order, those of its parts too; else its fields.
    """

    layout: Layout
    values: Sequence[Any]


class Layout:
    """How the fields of a type lie.

    Attributes:
        codes: One ``struct`` code per number where the type holds nothing but numbers, else "".
    """

    def __init__(self, type_name: str) -> None:
        kind = message_class(type_name)
        names = list(kind.get_fields_and_field_types())
        self.fields = dict(zip(names, map(_member, kind.SLOT_TYPES), strict=True))
        fixed = all(member.codes for member in self.fields.values())
        self.codes = "".join(member.codes for member in self.fields.values()) if fixed else ""


@dataclass(frozen=True)
class _Member:
    """A field: numbers (``codes``), text, or a sequence of ``element``; or a part with such."""

    codes: str = ""
    is_text: bool = False
    is_single_number: bool = False
    element: _Member | None = None


def _member(kind: Any) -> _Member:
    if isinstance(kind, BasicType):
        return _Member(_CODES[kind.typename], is_single_number=True)
    if isinstance(kind, NamespacedType):
        return _Member(layout_of("/".join(kind.namespaced_name())).codes)
    if isinstance(kind, AbstractString):
        return _Member(is_text=True)
    if isinstance(kind, AbstractSequence):
        return _Member(element=_member(kind.value_type))
    if isinstance(kind, Array) and (codes := _member(kind.value_type).codes):
        return _Member(codes * kind.size)
    raise TypeError(f"fields of type {kind} cannot be serialized here")


@functools.cache
def layout_of(type_name: str) -> Layout:
    """The layout of ``sensor_msgs/msg/Image`` and the like."""
    return Layout(type_name)


class SerializedFactory:
    """A message factory of ``messages`` whose messages ``serialized`` turns into bytes."""

    def make(self, type_name: str, **fields: Any) -> Draft:
        """A draft; all fields of the type must be given."""
        layout = layout_of(type_name)
        if not layout.codes:
            return Draft(layout, [fields[name] for name in layout.fields])
        numbers: list[Any] = []
        for name, member in layout.fields.items():
            value = fields[name]
            if member.is_single_number:
                numbers.append(value)
            else:
                numbers.extend(value.values if isinstance(value, Draft) else value)
        return Draft(layout, numbers)

    def octets(self, values: NDArray[np.uint8]) -> memoryview:
        """A ``uint8[]`` field: the array's own memory, which must not change before it is sent."""
        return np.ascontiguousarray(values, dtype=np.uint8).data.cast("B")

    def floats64(self, values: Sequence[float] | NDArray[np.float64]) -> list[float]:
        """A ``float64[]`` or ``float64[N]`` field."""
        numbers: list[float] = np.asarray(values, dtype=np.float64).reshape(-1).tolist()
        return numbers


def serialized(draft: Draft) -> bytes:
    """The message as it goes over the wire."""
    parts = _Parts()
    parts.add(draft)
    return b"".join(parts.parts)


class _Parts:
    """The pieces of a serialized message, and how far they reach."""

    def __init__(self) -> None:
        self.parts: list[bytes | memoryview] = [_LITTLE_ENDIAN_CDR]
        self._length = 0  # without the encoding

    def add(self, draft: Draft) -> None:
        if draft.layout.codes:
            self._pack(draft.layout.codes, draft.values)
            return
        for value, member in zip(draft.values, draft.layout.fields.values(), strict=True):
            self._add_member(value, member)

    def _add_member(self, value: Any, member: _Member) -> None:
        if isinstance(value, Draft):
            self.add(value)
        elif member.is_single_number:
            self._pack(member.codes, (value,))
        elif member.codes:
            self._pack(member.codes, value)
        elif member.is_text:
            octets = value.encode() + b"\x00"
            self._pack("I", (len(octets),))
            self._append(octets)
        else:
            self._add_sequence(value, member)

    def _add_sequence(self, values: Any, member: _Member) -> None:
        self._pack("I", (len(values),))
        if isinstance(values, memoryview):
            self._append(values)
            return
        assert member.element is not None
        if member.element.is_single_number and len(values):
            self._pack(member.element.codes * len(values), values)
            return
        for value in values:
            self._add_member(value, member.element)

    def _pack(self, codes: str, values: Sequence[Any]) -> None:
        self._append(_packer(codes, self._length % _LARGEST_ALIGNMENT).pack(*values))

    def _append(self, octets: bytes | memoryview) -> None:
        self.parts.append(octets)
        self._length += len(octets)


@functools.lru_cache(maxsize=1024)
def _packer(codes: str, offset: int) -> struct.Struct:
    """Packs numbers from a place whose distance to a multiple of eight is ``offset``."""
    form = "<"
    for code in codes:
        size = struct.calcsize(f"<{code}")
        padding = -offset % size
        form += "x" * padding + code
        offset += padding + size
    return struct.Struct(form)
