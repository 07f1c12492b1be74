# SPDX-License-Identifier: Apache-2.0
"""Watch the running graph: is the node active, does the recorder listen, what was counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.tool_node import started_context

_POLL_S = 0.05
# An answer can be lost when the service's two directions are not matched at the same time.
_ASK_AGAIN_S = 1.0


class GraphWatcher:
    """A node of the demo's own that looks at the others, inside a ``with`` block.

    Args:
        watched: The canonicalizer's full name.
        stop: Ends every wait.
    """

    def __init__(self, watched: str, stop: StopSignal) -> None:
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        self._stop = stop
        self._watched = watched
        self._context = started_context(())
        self._node = Node("demo_watcher", context=self._context, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._state = self._node.create_client(GetState, f"{watched}/get_state")
        self._asked: Any = None
        self._asked_at_s = 0.0
        self._active = False
        self._values: dict[str, dict[str, str]] = {}
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def __enter__(self) -> GraphWatcher:
        """The watcher is ready from the start."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Spin until the condition holds; tell whether it did in time and nobody said stop."""
        deadline = time.monotonic() + timeout_s
        while not self._stop.is_set():
            if condition():
                return True
            if time.monotonic() > deadline:
                return False
            self._executor.spin_once(timeout_sec=_POLL_S)
        return False

    def node_is_active(self) -> bool:
        """Ask for the lifecycle state, without waiting for the answer; tell the last one."""
        now_s = time.monotonic()
        if self._asked is None and self._state.service_is_ready():
            self._asked = self._state.call_async(GetState.Request())
            self._asked_at_s = now_s
        elif self._asked is not None and self._asked.done():
            answer = self._asked.result()
            self._active = answer.current_state.id == State.PRIMARY_STATE_ACTIVE
            self._asked = None
        elif self._asked is not None and now_s - self._asked_at_s > _ASK_AGAIN_S:
            self._state.remove_pending_request(self._asked)
            self._asked = None
        return self._active

    def listens(self, node_name: str, topics: Iterable[str]) -> bool:
        """Tell whether the named node subscribes to every topic."""
        return all(
            any(
                info.node_name == node_name
                for info in self._node.get_subscriptions_info_by_topic(topic)
            )
            for topic in topics
        )

    def topics_under(self, prefix: str) -> list[str]:
        """Topics below a name."""
        names = (name for name, _ in self._node.get_topic_names_and_types())
        return sorted(name for name in names if name.startswith(prefix))

    def diagnostics(self, status: str) -> Mapping[str, str]:
        """The values last heard from the watched node under a status; empty before any."""
        return self._values.get(status, {})

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        name = self._watched.strip("/")
        for status in message.status:
            node, mark, part = status.name.partition(": ")
            if mark and node.strip("/") == name:
                self._values[part] = {item.key: item.value for item in status.values}
