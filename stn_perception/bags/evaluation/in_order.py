# SPDX-License-Identifier: Apache-2.0
"""Many pieces of work at once, their results in order, only so many in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from stn_perception.bags.evaluation.cluster import Pending, Workers

Item = TypeVar("Item")


def results_in_order(
    items: Iterable[Item], begin: Callable[[Item], Pending], workers: Workers
) -> Iterator[tuple[Item, Any]]:
    """Yield each item with the result of its work, in order.

    Args:
        items: Taken one by one, as workers become free.
        begin: Hands out an item's work.
        workers: Tell how much to hand out at once: one piece waits behind each that is done.
    """
    pending: deque[tuple[Item, Pending]] = deque()
    for item in items:
        pending.append((item, begin(item)))
        if len(pending) > 2 * workers.count:
            first, work = pending.popleft()
            yield first, work.result()
    while pending:
        first, work = pending.popleft()
        yield first, work.result()
