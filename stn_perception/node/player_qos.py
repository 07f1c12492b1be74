# SPDX-License-Identifier: Apache-2.0
"""Between a bag's quality of service and rclpy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from stn_perception.bags import TopicQos

_MIN_DEPTH = 10


def profile_of(qos: TopicQos) -> QoSProfile:
    """Return the profile to publish with; a short queue is lengthened to survive a burst."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST if qos.depth else HistoryPolicy.KEEP_ALL,
        depth=max(qos.depth, _MIN_DEPTH),
        reliability=ReliabilityPolicy[qos.reliability.upper()],
        durability=DurabilityPolicy[qos.durability.upper()],
    )


def offered_by(publishers: Sequence[Any]) -> tuple[TopicQos, ...]:
    """Return what publishers offer, from ``Node.get_publishers_info_by_topic``."""
    return tuple(
        TopicQos(
            reliability=(
                "best_effort"
                if info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
                else "reliable"
            ),
            durability=(
                "transient_local"
                if info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
                else "volatile"
            ),
            # Discovery does not tell the queue's length.
            depth=max(1, info.qos_profile.depth),
        )
        for info in publishers
    )


def accepting(offers: Sequence[TopicQos]) -> QoSProfile:
    """Return the strictest request that every one of the offers meets, dropping nothing."""
    reliable = all(q.reliability == "reliable" for q in offers)
    latched = all(q.durability == "transient_local" for q in offers)
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL,
        reliability=(ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT),
        durability=(DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE),
    )
