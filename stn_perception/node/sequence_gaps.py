# SPDX-License-Identifier: Apache-2.0
"""Find numbers missing in publishers' sequences, where the middleware tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAX_PUBLISHERS = 64


class SequenceGaps:
    """Remembers each publisher's last number of one topic."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def missing(self, info: Mapping[str, Any]) -> int:
        """How many messages are missing right before this one.

        Args:
            info: rclpy's message info; distributions without sequence numbers lead to 0.
        """
        number = info.get("publication_sequence_number")
        publisher = info.get("publisher_gid")
        if number is None or publisher is None:
            return 0
        key = bytes(publisher["data"])
        last = self._last.pop(key, None)
        self._last[key] = number
        if len(self._last) > _MAX_PUBLISHERS:
            self._last.pop(next(iter(self._last)))
        return 0 if last is None else max(0, number - last - 1)
