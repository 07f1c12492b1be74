# SPDX-License-Identifier: Apache-2.0
"""Brings frames and the detections made from them together by stamp.

Detections come later than their image, so frames wait. Every frame and every detections message
that is pushed leaves exactly once: in a pair, or with a reason. A stamp before the last one of its
own stream is a jump in time (a looped recording): what waits in that stream is of the past and
leaves, and pairing goes on at once, whichever of the two streams jumps first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from stn_perception.messages.outcomes import DropReason

F = TypeVar("F")
D = TypeVar("D")
Kind = Literal["frame", "detections"]


@dataclass(frozen=True)
class PairingSettings:
    """How frames and detections are paired.

    Attributes:
        sync: ``exact``, equal stamps; ``approximate``, the nearest within ``slop_s``.
        queue_size: Frames (and detections) that wait at most.
        timeout_s: How long they wait, on the clock that is passed in.
        slop_s: Largest difference of stamps in approximate pairing.
    """

    sync: Literal["exact", "approximate"] = "exact"
    queue_size: int = 10
    timeout_s: float = 0.5
    slop_s: float = 0.02

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.sync not in ("exact", "approximate"):
            raise ValueError(f"sync is {self.sync!r}, expected exact or approximate")
        if self.queue_size < 1 or self.timeout_s <= 0 or self.slop_s < 0:
            raise ValueError(
                f"queue_size is {self.queue_size}, timeout_s {self.timeout_s} and slop_s "
                f"{self.slop_s}, expected at least 1, more than 0 and at least 0"
            )


@dataclass(frozen=True, eq=False)
class Pair(Generic[F, D]):
    """A frame and its detections."""

    frame: F
    detections: D
    frame_stamp_ns: int
    detections_stamp_ns: int


@dataclass(frozen=True, eq=False)
class Unpaired(Generic[F, D]):
    """A frame or a detections message that leaves alone."""

    kind: Kind
    stamp_ns: int
    item: F | D
    reason: DropReason


@dataclass(eq=False)
class PairingOutcome(Generic[F, D]):
    """What one push or one look at the clock brought about.

    Attributes:
        pairs: In the order of their stamps.
        dropped: Everything that left alone.
        jumped: Whether time jumped back.
    """

    pairs: list[Pair[F, D]] = field(default_factory=list)
    dropped: list[Unpaired[F, D]] = field(default_factory=list)
    jumped: bool = False


@dataclass(eq=False)
class _Waiting:
    stamp_ns: int
    arrived_s: float
    item: object


class Pairing(Generic[F, D]):
    """Pairs one camera's frames and detections.

    Times ``now_s`` are of one steady clock, in seconds.
    """

    def __init__(self, settings: PairingSettings | None = None) -> None:
        self.settings = settings or PairingSettings()
        self._frames: list[_Waiting] = []
        self._detections: list[_Waiting] = []
        self._last_frame_ns: int | None = None
        self._last_detections_ns: int | None = None

    @property
    def has_seen_detections(self) -> bool:
        """Whether any detections ever came."""
        return self._last_detections_ns is not None

    def push_frame(self, stamp_ns: int, frame: F, now_s: float) -> PairingOutcome[F, D]:
        """Take a frame."""
        outcome: PairingOutcome[F, D] = PairingOutcome()
        if self._last_frame_ns is not None and stamp_ns < self._last_frame_ns:
            outcome.jumped = True
            self._leave(outcome, "frame", list(self._frames), DropReason.TIME_JUMP)
            # Detections that were quicker than their frame through the jump are kept.
            past = [d for d in self._detections if d.stamp_ns > stamp_ns + self._slop_ns]
            self._leave(outcome, "detections", past, DropReason.TIME_JUMP)
        self._last_frame_ns = stamp_ns
        self._frames.append(_Waiting(stamp_ns, now_s, frame))
        self._match(outcome)
        self._limit(outcome, now_s)
        return outcome

    def push_detections(self, stamp_ns: int, detections: D, now_s: float) -> PairingOutcome[F, D]:
        """Take a detections message."""
        outcome: PairingOutcome[F, D] = PairingOutcome()
        if self._last_detections_ns is not None and stamp_ns < self._last_detections_ns:
            outcome.jumped = True
            self._leave(outcome, "detections", list(self._detections), DropReason.TIME_JUMP)
        self._last_detections_ns = stamp_ns
        self._detections.append(_Waiting(stamp_ns, now_s, detections))
        self._match(outcome)
        self._limit(outcome, now_s)
        return outcome

    def expire(self, now_s: float) -> PairingOutcome[F, D]:
        """Let go of what has waited too long; to be called now and then."""
        outcome: PairingOutcome[F, D] = PairingOutcome()
        self._limit(outcome, now_s)
        return outcome

    def clear(self, reason: DropReason) -> PairingOutcome[F, D]:
        """Let go of everything, and forget the last stamps."""
        outcome: PairingOutcome[F, D] = PairingOutcome()
        self._leave(outcome, "frame", list(self._frames), reason)
        self._leave(outcome, "detections", list(self._detections), reason)
        self._last_frame_ns = None
        self._last_detections_ns = None
        return outcome

    @property
    def _slop_ns(self) -> int:
        return 0 if self.settings.sync == "exact" else round(self.settings.slop_s * 1e9)

    def _match(self, outcome: PairingOutcome[F, D]) -> None:
        for detections in sorted(self._detections, key=lambda waiting: waiting.stamp_ns):
            self._match_one(outcome, detections, is_final=False)

    def _match_one(
        self, outcome: PairingOutcome[F, D], detections: _Waiting, is_final: bool
    ) -> None:
        """Pair detections with the nearest frame, once no later frame can be nearer."""
        stamp = detections.stamp_ns
        near = [f for f in self._frames if abs(f.stamp_ns - stamp) <= self._slop_ns]
        if not near:
            return
        frame = min(near, key=lambda waiting: (abs(waiting.stamp_ns - stamp), waiting.stamp_ns))
        is_decided = self._last_frame_ns is not None and self._last_frame_ns >= stamp
        if is_decided or is_final:
            self._frames.remove(frame)
            self._detections.remove(detections)
            outcome.pairs.append(
                Pair(frame.item, detections.item, frame.stamp_ns, stamp)  # type: ignore[arg-type]
            )
            self._leave_before(outcome, frame.stamp_ns, stamp)

    def _leave_before(
        self, outcome: PairingOutcome[F, D], frame_ns: int, detections_ns: int
    ) -> None:
        """Pairs are in order, so what is older than the last one cannot be paired any more."""
        frames = [f for f in self._frames if f.stamp_ns < frame_ns]
        self._leave(outcome, "frame", frames, DropReason.UNPAIRED)
        detections = [d for d in self._detections if d.stamp_ns < detections_ns]
        self._leave(outcome, "detections", detections, DropReason.UNPAIRED)

    def _limit(self, outcome: PairingOutcome[F, D], now_s: float) -> None:
        oldest_s = now_s - self.settings.timeout_s
        for detections in [d for d in self._detections if d.arrived_s <= oldest_s]:
            if detections in self._detections:
                self._match_one(outcome, detections, is_final=True)
        for kind, queue in (("frame", self._frames), ("detections", self._detections)):
            over = max(0, len(queue) - self.settings.queue_size)
            late = [w for i, w in enumerate(queue) if i < over or w.arrived_s <= oldest_s]
            reason = DropReason.UNPAIRED
            if kind == "frame" and not self.has_seen_detections:
                reason = DropReason.NO_BOXES_YET
            self._leave(outcome, "frame" if kind == "frame" else "detections", late, reason)

    def _leave(
        self,
        outcome: PairingOutcome[F, D],
        kind: Kind,
        leaving: Iterable[_Waiting],
        reason: DropReason,
    ) -> None:
        queue = self._frames if kind == "frame" else self._detections
        for waiting in leaving:
            queue.remove(waiting)
            item: F | D = waiting.item  # type: ignore[assignment]
            outcome.dropped.append(Unpaired(kind, waiting.stamp_ns, item, reason))
