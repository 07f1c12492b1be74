# SPDX-License-Identifier: Apache-2.0
"""All counts, rates and latencies of one camera; they outlive cleanup and activation."""

from __future__ import annotations

from dataclasses import dataclass, field

from stn_perception.node.counters import OutcomeCounter
from stn_perception.node.latencies import Latencies, Rate


@dataclass
class CameraCounters:
    """What came in, what went out and how long it took.

    Attributes:
        frames, detections, depth: Outcome of every message of that input.
        boxes: Outcome of every box; one is used when it led to an object.
        camera_infos: Outcome of every CameraInfo; one is used when it was latched.
        frames_in, detections_in, depth_in, results_out: Rates.
        paired: When frames found their boxes.
        views_out: Views published.
        uncertain: Objects that were marked as uncertain.
        latencies: Seconds per stage.
    """

    frames: OutcomeCounter = field(default_factory=OutcomeCounter)
    detections: OutcomeCounter = field(default_factory=OutcomeCounter)
    depth: OutcomeCounter = field(default_factory=OutcomeCounter)
    camera_infos: OutcomeCounter = field(default_factory=OutcomeCounter)
    boxes: OutcomeCounter = field(default_factory=OutcomeCounter)
    frames_in: Rate = field(default_factory=Rate)
    detections_in: Rate = field(default_factory=Rate)
    depth_in: Rate = field(default_factory=Rate)
    paired: Rate = field(default_factory=Rate)
    results_out: Rate = field(default_factory=Rate)
    views_out: Rate = field(default_factory=Rate)
    uncertain: Rate = field(default_factory=Rate)
    latencies: Latencies = field(default_factory=Latencies)
