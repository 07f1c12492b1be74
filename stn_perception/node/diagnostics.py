# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics says: rates, percentiles per stage and drops by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stn_perception.messages.factory import MessageFactory, header
from stn_perception.node.camera_counters import CameraCounters
from stn_perception.node.counters import OutcomeCounts

_LEVELS = {"ok": b"\x00", "warn": b"\x01", "error": b"\x02"}


@dataclass(frozen=True)
class Status:
    """One line of the diagnostics, before it is a message.

    Attributes:
        name: After the node's name.
        level: ``ok``, ``warn`` or ``error``.
        message: One sentence.
        values: Key to value.
    """

    name: str
    level: str
    message: str
    values: Mapping[str, str]


def camera_status(
    camera: str, counters: CameraCounters, state: str, missing: Sequence[str]
) -> Status:
    """Everything known about one camera.

    Keys: ``<input>.received|used|waiting|lost|gaps`` and ``<input>.dropped.<reason>`` for frames,
    detections, depth, camera_infos and boxes; ``views.published``; ``objects.uncertain``;
    ``rate.<what>_hz``; ``latency.<stage>.p50_ms|p95_ms|p99_ms``.

    Args:
        camera: Its name.
        counters: Its counts.
        state: What the node does with this camera, e.g. ``subscribed``.
        missing: Sentences about inputs that are missing.
    """
    values: dict[str, str] = {"state": state}
    for name in ("frames", "detections", "depth", "camera_infos", "boxes"):
        values.update(_outcome_values(name, getattr(counters, name).counts()))
    values["views.published"] = str(counters.views_out.total)
    values["objects.uncertain"] = str(counters.uncertain.total)
    for name in ("frames_in", "detections_in", "results_out", "views_out"):
        values[f"rate.{name}_hz"] = f"{getattr(counters, name).hertz():.2f}"
    for stage, percentiles in counters.latencies.percentiles().items():
        for part in ("p50_ms", "p95_ms", "p99_ms"):
            values[f"latency.{stage}.{part}"] = f"{getattr(percentiles, part):.3f}"
    if missing:
        return Status(camera, "warn", " ".join(missing), values)
    message = f"{counters.results_out.hertz():.1f} results/s from {camera} ({state})"
    return Status(camera, "ok", message, values)


def diagnostic_array(
    factory: MessageFactory,
    stamp_ns: int,
    node_name: str,
    hardware_id: str,
    statuses: Sequence[Status],
) -> Any:
    """A diagnostic_msgs/DiagnosticArray of these statuses."""
    return factory.make(
        "diagnostic_msgs/msg/DiagnosticArray",
        header=header(factory, stamp_ns, ""),
        status=[
            factory.make(
                "diagnostic_msgs/msg/DiagnosticStatus",
                level=_LEVELS[status.level],
                name=f"{node_name}: {status.name}",
                message=status.message,
                hardware_id=hardware_id,
                values=[
                    factory.make("diagnostic_msgs/msg/KeyValue", key=key, value=value)
                    for key, value in status.values.items()
                ],
            )
            for status in statuses
        ],
    )


def _outcome_values(name: str, counts: OutcomeCounts) -> dict[str, str]:
    numbers = {
        "received": counts.received,
        "used": counts.used,
        "waiting": counts.waiting,
        "lost": counts.lost,
        "gaps": counts.gaps,
    }
    numbers.update({f"dropped.{reason}": count for reason, count in counts.dropped.items()})
    return {f"{name}.{key}": str(number) for key, number in numbers.items()}
