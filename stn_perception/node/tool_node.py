# SPDX-License-Identifier: Apache-2.0
"""ROS in a context of its own, and the plain node that a tool works with there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stn_perception.node.transport import tune_transport
from stn_perception.runtime.process_memory import keep_large_blocks


class StartError(Exception):
    """ROS 2 refuses to start; the message is one sentence for the user."""


def started_context(ros_args: Sequence[str]) -> Any:
    """Start ROS in a context of its own; signals are left to the caller, who shuts it down.

    Args:
        ros_args: ROS command line, such as ``["--ros-args", "-r", "/a:=/b"]``.

    Raises:
        StartError: The ROS command line is not understood.
    """
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    context = rclpy.Context()
    try:
        rclpy.init(
            args=list(ros_args), context=context, signal_handler_options=SignalHandlerOptions.NO
        )
    except Exception as error:  # rclpy has an unrelated class for each kind of bad argument
        text = " ".join(str(error).split()) or type(error).__name__
        raise StartError(f"ROS 2 cannot start: {text.partition(', at ')[0]}.") from error
    return context


@contextmanager
def tool_node(name: str, ros_args: Sequence[str] = (), is_tuned: bool = True) -> Iterator[Any]:
    """A node in a context of its own.

    There are no parameter services, so that a node that only publishes needs no executor.

    Args:
        name: The node's name.
        ros_args: See ``started_context``.
        is_tuned: Whether the transport is tuned for large images.

    Raises:
        StartError: The ROS command line is not understood.
    """
    if is_tuned:
        tune_transport()
    keep_large_blocks()
    import rclpy
    from rclpy.node import Node

    context = started_context(ros_args)
    try:
        node = Node(name, context=context, start_parameter_services=False)
        try:
            yield node
        finally:
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)


@contextmanager
def executor_of(node: Any) -> Iterator[Any]:
    """What takes a node's messages, one after the other."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    try:
        yield executor
    finally:
        executor.shutdown()
