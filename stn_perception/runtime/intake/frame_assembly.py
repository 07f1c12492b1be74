# SPDX-License-Identifier: Apache-2.0
"""Bring a camera's image, boxes and depth together, as messages are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.stamps import stamp_ns
from stn_perception.runtime.intake.frame_job import FrameJob
from stn_perception.runtime.pairing import Pairing, PairingOutcome, PairingSettings
from stn_perception.runtime.parameters.settings import InputSettings


class DropCounter(Protocol):
    """Counts messages of one input that led to nothing."""

    def count_dropped(self, reason: DropReason, count: int = 1) -> None:
        """Count some under a reason."""


class Ticks(Protocol):
    """Notes that something happened."""

    def tick(self) -> None:
        """It happened now."""


class AssemblyCounters(Protocol):
    """What the assembly tells of a camera's frames, boxes and depth."""

    @property
    def frames(self) -> DropCounter:
        """Of images."""

    @property
    def detections(self) -> DropCounter:
        """Of detections messages."""

    @property
    def depth(self) -> DropCounter:
        """Of depth images."""

    @property
    def paired(self) -> Ticks:
        """Frames that found their boxes."""


@dataclass(frozen=True, eq=False)
class _Taken:
    """An image as it was taken, and the boxes once they are there."""

    image: Any
    taken_s: float
    detections: Any = None


class FrameAssembly:
    """Pairs images with detections, then with depth where it is used; counts what falls out.

    A frame that waits in vain is unpaired, for its depth as for its boxes: handing it on later
    would put a camera's frames out of order.

    Args:
        camera: Its name.
        settings: Which inputs there are and how they are paired.
        counters: The camera's.
        hand_over: Takes a frame with all that belongs to it.
        on_jump: Called when the images' stamps jump back.
        stamp_of: A message's stamp in nanoseconds.
        clock: Steady time in seconds; of a recording, when its messages were taken.
    """

    def __init__(
        self,
        camera: str,
        settings: InputSettings,
        counters: AssemblyCounters,
        hand_over: Callable[[FrameJob], None],
        on_jump: Callable[[], None],
        stamp_of: Callable[[Any], int] = stamp_ns,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stamp_of = stamp_of
        self._clock = clock
        self._camera = camera
        self._counters = counters
        self._hand_over = hand_over
        self._on_jump = on_jump
        self._boxes: Pairing[_Taken, Any] | None = None
        self._depth: Pairing[_Taken, Any] | None = None
        self._last_stamp_ns: int | None = None
        pairing = pairing_settings(settings)
        if settings.regions == "detections":
            self._boxes = Pairing(pairing)
        if settings.use_depth:
            self._depth = Pairing(pairing)

    def change(self, settings: InputSettings) -> None:
        """Use other pairing settings from the next message on."""
        for pairing in (self._boxes, self._depth):
            if pairing is not None:
                pairing.settings = pairing_settings(settings)

    def push_image(self, message: Any) -> None:
        """Take an image."""
        now_s, stamp = self._clock(), self._stamp_of(message)
        if self._last_stamp_ns is not None and stamp < self._last_stamp_ns:
            self._on_jump()
        self._last_stamp_ns = stamp
        taken = _Taken(message, now_s)
        if self._boxes is None:
            self._with_boxes(stamp, taken)
        else:
            self._follow_boxes(self._boxes.push_frame(stamp, taken, now_s))

    def push_detections(self, message: Any) -> None:
        """Take a detections message."""
        if self._boxes is not None:
            stamp = self._stamp_of(message)
            self._follow_boxes(self._boxes.push_detections(stamp, message, self._clock()))

    def push_depth(self, message: Any) -> None:
        """Take a depth image."""
        if self._depth is not None:
            stamp = self._stamp_of(message)
            self._follow_depth(self._depth.push_detections(stamp, message, self._clock()))

    def expire(self) -> None:
        """Let go of what has waited too long; to be called now and then."""
        now_s = self._clock()
        if self._boxes is not None:
            self._follow_boxes(self._boxes.expire(now_s))
        if self._depth is not None:
            self._follow_depth(self._depth.expire(now_s))

    def clear(self, reason: DropReason) -> None:
        """Let go of everything that waits, counted under ``reason``."""
        self._last_stamp_ns = None
        if self._boxes is not None:
            self._follow_boxes(self._boxes.clear(reason))
        if self._depth is not None:
            self._follow_depth(self._depth.clear(reason))

    def _follow_boxes(self, outcome: PairingOutcome[_Taken, Any]) -> None:
        for left in outcome.dropped:
            kind = self._counters.frames if left.kind == "frame" else self._counters.detections
            kind.count_dropped(left.reason)
        for pair in outcome.pairs:
            paired = _Taken(pair.frame.image, pair.frame.taken_s, pair.detections)
            self._with_boxes(pair.frame_stamp_ns, paired)

    def _with_boxes(self, stamp: int, taken: _Taken) -> None:
        self._counters.paired.tick()
        if self._depth is None:
            self._done(taken, None)
        else:
            self._follow_depth(self._depth.push_frame(stamp, taken, self._clock()))

    def _follow_depth(self, outcome: PairingOutcome[_Taken, Any]) -> None:
        for left in outcome.dropped:
            if left.kind == "detections":
                self._counters.depth.count_dropped(left.reason)
                continue
            reason = left.reason
            if reason is DropReason.NO_BOXES_YET:  # here: no depth yet
                reason = DropReason.UNPAIRED
            self._counters.frames.count_dropped(reason)
            if isinstance(left.item, _Taken) and left.item.detections is not None:
                self._counters.detections.count_dropped(reason)
        for pair in outcome.pairs:
            self._done(pair.frame, pair.detections)

    def _done(self, taken: _Taken, depth: Any) -> None:
        job = FrameJob(self._camera, taken.image, taken.detections, depth, taken.taken_s)
        self._hand_over(job)


def pairing_settings(settings: InputSettings) -> PairingSettings:
    """The pairing's part of the input parameters."""
    return PairingSettings(
        sync=settings.sync,
        queue_size=settings.sync_queue_size,
        timeout_s=settings.sync_timeout_s,
        slop_s=settings.sync_slop_s,
    )
