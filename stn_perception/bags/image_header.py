# SPDX-License-Identifier: Apache-2.0
"""What a serialized image says of itself, read without decoding it."""

from __future__ import annotations

import struct

_START = 4  # behind the encapsulation; alignment counts from here
_STAMP_LENGTH = 8
_SIZES_LENGTH = 8  # height and width


def image_encoding(data: bytes, compressed: bool) -> str:
    """Return the encoding of a serialized ``Image``, or the format of a ``CompressedImage``.

    Args:
        data: CDR with its encapsulation header (OMG DDS-XTypes 7.4.3).
        compressed: Which of the two it is.

    Returns:
        Empty where the message ends before it.
    """
    order = "<" if data[1:2] == b"\x01" else ">"
    try:
        _, after = _string(data, _START + _STAMP_LENGTH, order)
        return _string(data, after + (0 if compressed else _SIZES_LENGTH), order)[0]
    except struct.error:
        return ""


def _string(data: bytes, place: int, order: str) -> tuple[str, int]:
    """A string that ends in a zero byte, and where the next four-byte value lies."""
    (length,) = struct.unpack_from(f"{order}I", data, place)
    first, last = place + 4, place + 4 + length
    text = bytes(data[first:last]).rstrip(b"\0").decode(errors="replace")
    return text, last + -(last - _START) % 4
