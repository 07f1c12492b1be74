# SPDX-License-Identifier: Apache-2.0
"""Refuse to run beside another node of the same name: both would answer each other's calls."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor

from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.transport import announcement_period_s

# Fast DDS answers a newcomer's announcement once, and an answer that comes before the newcomer has
# enabled its reader is lost. Then it learns of the other only from the next regular announcement,
# which comes every few seconds; the rest is for the nodes' names to follow on a busy machine.
NAMES_FOLLOW_S = 1.0
PROBE_S = 6.0  # the other may be busy; a crashed one is waited for anyway
# An answer can be lost when the service's two directions are not matched at the same time.
ASK_AGAIN_S = 1.0
LEASE_S = 25.0  # Fast DDS drops a crashed participant after 20 s
_POLL_S = 0.1


def name_conflict(
    node: Any, created_s: float, stop: StopSignal, warn: Callable[[str], None]
) -> str:
    """Why the node cannot have its name, or "" once it has it alone or is told to stop.

    A node that crashed stays in the graph until its lease ends, so one that does not answer is
    waited for; one that answers is refused at once. The node's own executor must not be
    spinning, or the node would answer itself.

    Args:
        node: The lifecycle node.
        created_s: When it was created, on the steady clock; others need a while to be seen.
        stop: Ends the waiting.
        warn: Tells the user that it waits.
    """
    name = node.get_fully_qualified_name()
    known_s = created_s + announcement_period_s(os.environ) + NAMES_FOLLOW_S
    _wait(lambda: _others(node) > 0, known_s, stop)
    if _others(node) == 0:
        return ""
    refusal = (
        f"Another node named '{name}' is running; give this one a name or namespace of its own"
    )
    if _answers(node, stop):
        return f"{refusal} (-r __node:=<name> or -r __ns:=/<namespace>)."
    if _others(node) > 0 and not stop.is_set():
        warn(f"Another node named '{name}' is in the graph but silent; waiting for it to vanish.")
        _wait(lambda: _others(node) == 0, time.monotonic() + LEASE_S, stop)
    return "" if stop.is_set() or _others(node) == 0 else f"{refusal}."


def _wait(done: Callable[[], bool], until_s: float, stop: StopSignal) -> None:
    while not done() and time.monotonic() < until_s and not stop.wait(_POLL_S):
        pass


def _others(node: Any) -> int:
    own = (node.get_name(), node.get_namespace())
    return int(node.get_node_names_and_namespaces().count(own)) - 1


def _answers(node: Any, stop: StopSignal) -> bool:
    probe = rclpy.create_node(
        f"{node.get_name()}_name_probe",
        context=node.context,
        namespace=node.get_namespace(),
        use_global_arguments=False,
        start_parameter_services=False,
        enable_rosout=False,
    )
    executor = SingleThreadedExecutor(context=node.context)
    try:
        executor.add_node(probe)
        client = probe.create_client(GetState, f"{node.get_fully_qualified_name()}/get_state")
        deadline_s = time.monotonic() + PROBE_S
        while time.monotonic() < deadline_s and _others(node) > 0 and not stop.is_set():
            future = client.call_async(GetState.Request())
            executor.spin_until_future_complete(future, timeout_sec=ASK_AGAIN_S)
            if future.done():
                return True
            client.remove_pending_request(future)
        return False
    finally:
        executor.shutdown()
        probe.destroy_node()
