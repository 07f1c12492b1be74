# SPDX-License-Identifier: Apache-2.0
"""Stamps as integer nanoseconds."""

from __future__ import annotations

from typing import Any

_NANOSECONDS = 1_000_000_000


def stamp_ns(source: Any) -> int:
    """Nanoseconds of a builtin_interfaces/Time, a Header, or a message with a header."""
    time = getattr(source, "header", source)
    time = getattr(time, "stamp", time)
    return int(time.sec) * _NANOSECONDS + int(time.nanosec)


def time_fields(stamp: int) -> tuple[int, int]:
    """(sec, nanosec) of nanoseconds, with 0 <= nanosec < 1e9 as builtin_interfaces/Time has it."""
    return divmod(int(stamp), _NANOSECONDS)
