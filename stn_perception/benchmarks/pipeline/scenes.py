# SPDX-License-Identifier: Apache-2.0
"""Frames that a Pipeline is timed on, and our side of the race."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stn_perception.benchmarks.node.scene import pictures
from stn_perception.geometry import AxisAlignedBox, PinholeIntrinsics
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

SIZES = {
    "vga": (640, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "4k": (3840, 2160),
}
MOST_OBJECTS = 256
STAGES = ("crop", "network", "compose", "track", "pose", "warp")
_FRAME_NS = 33_333_333


@dataclass(frozen=True)
class BenchSettings:
    """How a run is made.

    Attributes:
        model: A model file or a shipped name.
        rounds: Figures for each contender.
        threads: CPU threads of torch, OpenCV and the back end; 0 for one a core.
        backend: Our warping back end, by name.
        is_calibrated: Whether the camera has intrinsics, so that poses are found.
    """

    model: str
    rounds: int
    threads: int
    backend: str
    is_calibrated: bool

    def told(self, archive: ModelArchive, threads: int) -> dict[str, Any]:
        """What a report says of the run."""
        return {
            "model": f"{archive.card.name} {archive.card.version}",
            "rounds": self.rounds,
            "threads": threads,
            "backend": self.backend,
            "calibrated": self.is_calibrated,
        }


def requests(size: str, objects: int, is_calibrated: bool) -> list[FrameRequest]:
    """A short cycle of frames with boxes around their labels.

    Raises:
        ValueError: There is no such size, or too many objects or none are asked for.
    """
    if size not in SIZES:
        raise ValueError(f"size is {size!r}, expected one of {', '.join(SIZES)}")
    if not 1 <= objects <= MOST_OBJECTS:
        raise ValueError(f"objects is {objects}, expected 1 to {MOST_OBJECTS}")
    width, height = SIZES[size]
    focal_px = 0.9 * width
    matrix = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]])
    intrinsics = PinholeIntrinsics(matrix, width=width, height=height) if is_calibrated else None
    return [
        FrameRequest(
            "camera",
            Frame(picture.pixels, "rgb"),
            tuple(Region(AxisAlignedBox(*box)) for box in picture.boxes),
            intrinsics,
        )
        for picture in pictures(width, height, objects)
    ]


@dataclass
class Ours:
    """A Pipeline that is given one frame after the other.

    Attributes:
        archive: The opened model.
        cycle: The frames, round and round.
        backend: The warping back end, by name.
        calls: Seconds of each stage, and of the whole call, of every frame so far.
    """

    archive: ModelArchive
    cycle: Sequence[FrameRequest]
    backend: str
    calls: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start as a node does: warm."""
        count = len(self.cycle[0].regions)
        settings = PipelineSettings(
            backend=self.backend, max_objects=count, max_boxes=max(count, 64)
        )
        self._pipeline = Pipeline(self.archive, settings)
        self._numbers = itertools.count()
        self.archive.warm_up([count])

    def __call__(self) -> FrameResult:
        """The next frame."""
        number = next(self._numbers)
        request = self.cycle[number % len(self.cycle)]
        frame = Frame(request.frame.pixels, request.frame.color, number * _FRAME_NS)
        moved = FrameRequest(request.camera, frame, request.regions, request.intrinsics)
        started = time.perf_counter()
        (result,) = self._pipeline.process([moved])
        ended = time.perf_counter()
        self.calls.append({**result.stage_s, "total": ended - started})
        return result

    def stage_ms(self) -> dict[str, float]:
        """Median milliseconds of each stage, and of the time between them, over all frames."""
        stages = np.array([[call[stage] for stage in STAGES] for call in self.calls])
        totals = np.array([call["total"] for call in self.calls])
        medians = 1e3 * np.median(stages, axis=0)
        between = 1e3 * float(np.median(totals - stages.sum(axis=1)))
        return dict(zip(STAGES, medians.tolist(), strict=True)) | {"other": between}

    def total_ms(self) -> float:
        """Median milliseconds of a whole call over all frames so far."""
        return 1e3 * float(np.median([call["total"] for call in self.calls]))

    def rest_over_network(self) -> float:
        """Median over all frames of the time outside the network over the time in it."""
        return float(np.median([call["total"] / call["network"] for call in self.calls])) - 1.0
