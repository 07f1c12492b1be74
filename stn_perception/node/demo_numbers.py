# SPDX-License-Identifier: Apache-2.0
"""Bring together what player, node and recorder each know about a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags.summary import RunSummary

_DROPPED = "frames.dropped."


@dataclass(frozen=True)
class Passage:
    """A stamped message going by: its topic, its stamp, when (steady clock)."""

    topic: str
    stamp_ns: int
    steady_ns: int


def read_passages(log: Path) -> list[Passage]:
    """Read what player or recorder wrote down; messages without a stamp are left out."""
    entries = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    return [
        Passage(entry["topic"], entry["stamp_ns"], entry["steady_ns"])
        for entry in entries
        if entry["stamp_ns"] is not None
    ]


def latencies_ms(
    sent: Iterable[Passage], received: Iterable[Passage], image_topic: str
) -> list[float]:
    """Return, for each view received, the time since its frame was published.

    Args:
        sent: From the player.
        received: From the recorder, on one machine (the steady clock is the machine's).
        image_topic: The frames' topic.
    """
    published = {p.stamp_ns: p.steady_ns for p in sent if p.topic == image_topic}
    return [
        (p.steady_ns - published[p.stamp_ns]) / 1e6
        for p in received
        if p.topic.endswith("/image_rect") and p.stamp_ns in published
    ]


@dataclass(frozen=True)
class NodeCounts:
    """What the node's diagnostics say about one camera's frames."""

    received: int
    processed: int
    dropped: Mapping[str, int]
    views: int

    @property
    def settled(self) -> bool:
        """Whether every frame taken has an outcome."""
        return self.received == self.processed + sum(self.dropped.values())


def node_counts(values: Mapping[str, str]) -> NodeCounts:
    """Return the counts of a camera's diagnostics; zeros before any came."""
    return NodeCounts(
        received=int(values.get("frames.received", 0)),
        processed=int(values.get("frames.used", 0)),
        dropped={
            key[len(_DROPPED) :]: int(value)
            for key, value in values.items()
            if key.startswith(_DROPPED)
        },
        views=int(values.get("views.published", 0)),
    )


def summarize(
    sent: list[Passage],
    received: list[Passage],
    image_topic: str,
    counts: NodeCounts,
    model: Mapping[str, str],
    late: int,
) -> RunSummary:
    """Return the run's numbers.

    Args:
        sent: From the player.
        received: From the recorder.
        image_topic: The frames' topic.
        counts: From the node's diagnostics.
        model: The node's diagnostics about its model.
        late: Messages that the player sent late.
    """
    frames = [p.steady_ns for p in sent if p.topic == image_topic]
    return RunSummary(
        frames_published=len(frames),
        frames_received=counts.received,
        frames_processed=counts.processed,
        views_published=counts.views,
        dropped=counts.dropped,
        latency_ms=latencies_ms(sent, received, image_topic),
        views_received=sum(p.topic.endswith("/image_rect") for p in received),
        duration_s=(max(frames) - min(frames)) / 1e9 if frames else 0.0,
        model=model.get("model", "unknown"),
        device=model.get("device", "unknown"),
        late=late,
    )
