# SPDX-License-Identifier: Apache-2.0
"""Once a second: warnings about what is missing, and the diagnostics."""

from __future__ import annotations

import time
from typing import Any

from stn_perception.messages.factory import MessageFactory
from stn_perception.node.diagnostics import Status, camera_status, diagnostic_array
from stn_perception.node.idle_watch import Reminder, missing_inputs
from stn_perception.node.message_factory import message_class
from stn_perception.node.qos import create_publisher, result_qos
from stn_perception.node.topics import DIAGNOSTICS_TOPIC


class Health:
    """Watches the canonicalizer node and tells on /diagnostics and in the log.

    Args:
        node: The canonicalizer node.
        factory: Makes messages.
    """

    def __init__(self, node: Any, factory: MessageFactory) -> None:
        self._node = node
        self._factory = factory
        self._reminder = Reminder()
        self._publisher = create_publisher(
            node,
            message_class("diagnostic_msgs/msg/DiagnosticArray"),
            node.resolve_topic_name(DIAGNOSTICS_TOPIC),
            result_qos(10),
        )

    def publish(self) -> None:
        """Warn about what is new and publish the state of everything."""
        node, session = self._node, self._node.session
        idle_s = node.parameters.outputs.idle_warning_s
        statuses, warnings = [], []
        for camera, counters in node.counters.items():
            subscribed = session is not None and session.inputs[camera].subscribed
            missing = (
                missing_inputs(session.inputs[camera].activity(), idle_s) if subscribed else []
            )
            warnings += missing
            state = node.state
            if state == "active" and not subscribed:
                state = "idle, nobody subscribes to its outputs"
            statuses.append(camera_status(camera, counters, state, missing))
        if session is not None:
            warnings += session.misfits()
        for sentence in self._reminder.due(warnings, time.monotonic()):
            node.get_logger().warning(sentence)
        statuses.append(self._model_status())
        now_ns = node.get_clock().now().nanoseconds
        name = node.get_fully_qualified_name().lstrip("/")
        self._publisher.publish(
            diagnostic_array(self._factory, now_ns, name, node.get_name(), statuses)
        )

    def _model_status(self) -> Status:
        node, session = self._node, self._node.session
        values = {"state": node.state, "last_error": node.reporter.last}
        if session is None:
            return Status("model", "ok", "not loaded", values)
        archive = session.pipeline.archive
        card = archive.card
        values |= {
            "model": card.name,
            "version": card.version,
            "family": card.family,
            "path": str(archive.path),
            "format": archive.format,
            "device": str(archive.device),
            "weights_sha256": card.weights_sha256,
        }
        return Status("model", "ok", f"{card.name} {card.version} on {archive.device}", values)
