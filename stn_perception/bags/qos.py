# SPDX-License-Identifier: Apache-2.0
"""The part of a topic's quality of service that matters for replaying it, without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

# rmw's "infinite" duration, as rosbag2 writes it into metadata.
_INFINITE = QosTime(9223372036, 854775807)


@dataclass(frozen=True)
class TopicQos:
    """How a topic was offered.

    Attributes:
        reliability: ``reliable`` resends what was lost.
        durability: ``transient_local`` keeps messages for late subscribers.
        depth: Messages kept; 0 means all of them.
    """

    reliability: Literal["reliable", "best_effort"] = "reliable"
    durability: Literal["volatile", "transient_local"] = "volatile"
    depth: int = 10


def offer_for(recorded: Sequence[TopicQos]) -> TopicQos:
    """Return the offer that suits every subscriber of the recorded publishers.

    One kind of recorded offer is repeated as it was. Mixed ones become the stronger of each
    policy, which every subscriber of either kind accepts.
    """
    if not recorded:
        return TopicQos()
    best_effort = all(q.reliability == "best_effort" for q in recorded)
    latched = any(q.durability == "transient_local" for q in recorded)
    depths = [q.depth for q in recorded]
    return TopicQos(
        reliability="best_effort" if best_effort else "reliable",
        durability="transient_local" if latched else "volatile",
        depth=0 if 0 in depths else max(depths),
    )


def from_rosbags(qos: Any) -> TopicQos:
    """Convert a rosbags profile; what is unknown or left to the system counts as the default."""
    return TopicQos(
        reliability=(
            "best_effort" if qos.reliability == QosReliability.BEST_EFFORT else "reliable"
        ),
        durability=(
            "transient_local" if qos.durability == QosDurability.TRANSIENT_LOCAL else "volatile"
        ),
        depth=0 if qos.history == QosHistory.KEEP_ALL else max(1, int(qos.depth)),
    )


def to_rosbags(qos: TopicQos) -> Any:
    """Convert to a rosbags profile with no deadline, lifespan or lease."""
    return Qos(
        history=QosHistory.KEEP_LAST if qos.depth else QosHistory.KEEP_ALL,
        depth=qos.depth,
        reliability=QosReliability[qos.reliability.upper()],
        durability=QosDurability[qos.durability.upper()],
        deadline=_INFINITE,
        lifespan=_INFINITE,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_INFINITE,
        avoid_ros_namespace_conventions=False,
    )
