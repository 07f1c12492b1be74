# SPDX-License-Identifier: Apache-2.0
"""Hand the newest frame of each camera from the thread that takes to the one that works."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestOnly(Generic[Item]):
    """One place per camera; a newer item replaces an older one that nobody fetched yet."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._condition = threading.Condition()
        self._closed = False

    def put(self, camera: str, item: Item) -> Item | None:
        """Place an item.

        Returns:
            The item that it replaces, the new one itself once closed, or None.
        """
        with self._condition:
            if self._closed:
                return item
            replaced = self._items.pop(camera, None)
            self._items[camera] = item
            self._condition.notify()
            return replaced

    def fetch_all(self) -> dict[str, Item]:
        """Wait until there is something, and take the items of all cameras at once.

        Returns:
            Items by camera, the one that waits longest first; empty once closed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._items or self._closed)
            items, self._items = self._items, {}
            return items

    def clear(self, camera: str | None = None) -> list[Item]:
        """Take back what was not fetched, of one camera or of all."""
        with self._condition:
            if camera is not None:
                item = self._items.pop(camera, None)
                return [] if item is None else [item]
            items, self._items = self._items, {}
            return list(items.values())

    def close(self) -> list[Item]:
        """Let ``fetch_all`` return nothing from now on; what was not fetched comes back."""
        with self._condition:
            self._closed = True
            items, self._items = self._items, {}
            self._condition.notify_all()
            return list(items.values())
