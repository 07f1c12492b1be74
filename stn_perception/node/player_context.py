# SPDX-License-Identifier: Apache-2.0
"""The plain node that player and recorder each work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stn_perception.node.process_memory import keep_large_blocks
from stn_perception.node.transport import tune_transport


class StartError(Exception):
    """ROS 2 refuses to start; the message is one sentence for the user."""


@contextmanager
def tool_node(name: str, ros_args: Sequence[str]) -> Iterator[Any]:
    """A node in a context of its own, the transport tuned for large images.

    Signals are left to the caller, and there are no parameter services, so that a node that only
    publishes needs no executor.

    Args:
        name: The node's name.
        ros_args: ROS command line, such as ``["--ros-args", "-r", "/a:=/b"]``.

    Raises:
        StartError: The ROS command line is not understood.
    """
    tune_transport()
    keep_large_blocks()
    import rclpy
    from rclpy.node import Node
    from rclpy.signals import SignalHandlerOptions

    context = rclpy.Context()
    try:
        rclpy.init(
            args=list(ros_args), context=context, signal_handler_options=SignalHandlerOptions.NO
        )
    except Exception as error:  # rclpy has an unrelated class for each kind of bad argument
        reason = str(error).splitlines()[0].split(", at /")[0]
        raise StartError(f"ROS 2 cannot start: {reason}.") from error
    try:
        node = Node(name, context=context, start_parameter_services=False)
        try:
            yield node
        finally:
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
