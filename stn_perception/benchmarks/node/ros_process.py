# SPDX-License-Identifier: Apache-2.0
"""A node in a process of its own, from the transport to the clean end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stn_perception.node.process_memory import keep_large_blocks
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.transport import tune_transport

TRANSPORTS = ("tuned", "default")
_POLL_S = 0.1


@contextmanager
def ros_node(name: str, transport: str = "tuned") -> Iterator[tuple[Any, StopSignal]]:
    """A node without parameter services, and what SIGINT and SIGTERM ask of it.

    Args:
        name: Of the node.
        transport: One of ``TRANSPORTS``; the canonicalizer's own is the tuned one.
    """
    if transport == "tuned":
        tune_transport()
    keep_large_blocks()
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    with StopSignal() as stop, rclpy.init(signal_handler_options=SignalHandlerOptions.NO):
        node = rclpy.create_node(name, start_parameter_services=False)
        try:
            yield node, stop
        finally:
            node.destroy_node()


@contextmanager
def receiving(node: Any) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """A function that takes the node's messages one after the other until something holds."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def take_until(holds: Callable[[], bool]) -> None:
        while not holds():
            executor.spin_once(timeout_sec=_POLL_S)

    try:
        yield take_until
    finally:
        executor.shutdown()
