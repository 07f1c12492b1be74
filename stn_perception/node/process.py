# SPDX-License-Identifier: Apache-2.0
"""The node's life within the process: create, walk to active, take messages, end cleanly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn

from stn_perception.node.canonicalizer_node import CanonicalizerNode
from stn_perception.node.exit_codes import EXIT_CLEAN, EXIT_FAILED, EXIT_USAGE
from stn_perception.node.startup import Startup
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_node import StartError, started_context
from stn_perception.runtime.parameters.parameters import ParameterError


def run_node(args: Sequence[str], stop: StopSignal, transport: str, startup: Startup) -> int:
    """Run until ``stop``, a shutdown transition or a failure; the exit code.

    Args:
        args: Command line with ROS arguments.
        stop: Set by SIGINT and SIGTERM.
        transport: What was done about the transport, for the log.
        startup: Where the time of the start goes.
    """
    startup.mark("imports")
    try:
        context = started_context(args)
    except StartError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    try:
        return _run(context, stop, transport, startup)
    finally:
        # A lifecycle node leaves the graph only when its state machine is collected; else others
        # would see it for 20 s more, and a node started anew would wait for its name.
        gc.unfreeze()
        gc.collect()
        context.try_shutdown()


def _run(context: Context, stop: StopSignal, transport: str, startup: Startup) -> int:
    try:
        node = CanonicalizerNode(context, stop, startup)
    except ParameterError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    node.get_logger().info(transport)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        if node.parameters.outputs.autostart and not _walk_to_active(node):
            return EXIT_CLEAN if stop.is_set() else node.refusal_code
        # The collector would look through the libraries' hundreds of thousands of objects again
        # and again, while a frame waits.
        gc.collect()
        gc.freeze()
        while not stop.is_set() and context.ok() and not node.finalized:
            executor.spin_once()  # the node's own timers bound the wait
        return EXIT_CLEAN if node.failure == "" else EXIT_FAILED
    finally:
        node.close()
        executor.shutdown()
        node.destroy_node()


def _walk_to_active(node: CanonicalizerNode) -> bool:
    for transition in (node.trigger_configure, node.trigger_activate):
        if transition() != TransitionCallbackReturn.SUCCESS:
            return False
    return True
