# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own, from the transport to the clean end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_node import executor_of, tool_node

TRANSPORTS = ("tuned", "default")
_POLL_S = 0.1


@contextmanager
def ros_node(name: str, transport: str = "tuned") -> Iterator[tuple[Any, StopSignal]]:
    """A node, and what SIGINT and SIGTERM ask of it.

    Args:
        name: Of the node.
        transport: One of ``TRANSPORTS``; the canonicalizer's own is the tuned one.
    """
    with StopSignal() as stop, tool_node(name, is_tuned=transport == "tuned") as node:
        yield node, stop


@contextmanager
def receiving(node: Any) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """A function that takes the node's messages one after the other until something holds."""
    with executor_of(node) as executor:

        def take_until(holds: Callable[[], bool]) -> None:
            while not holds():
                executor.spin_once(timeout_sec=_POLL_S)

        yield take_until
