# SPDX-License-Identifier: Apache-2.0
"""Transforms of /tf and /tf_static kept in full, and asked at any time as tf2 would answer.

Convention: a ``geometry_msgs/TransformStamped`` is ``parent_from_child``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from stn_perception.geometry import FloatArray, Pose
from stn_perception.messages.frame_track import FrameTrack
from stn_perception.messages.stamps import stamp_ns


@dataclass(frozen=True)
class TransformHistory:
    """All frames of a recording.

    Attributes:
        tracks: By frame.
        refused: Transforms that are none: not finite, without a rotation, or of a frame to itself.
    """

    tracks: Mapping[str, FrameTrack] = field(default_factory=dict)
    refused: int = 0

    @property
    def frames(self) -> frozenset[str]:
        """Every frame, those that are only parents included."""
        parents = {parent for track in self.tracks.values() for parent in track.parents}
        return frozenset(parents | self.tracks.keys())

    def lookup(
        self, target: str, source: str, at_ns: int, max_gap_ns: int | None = None
    ) -> Pose | None:
        """``target_from_source`` at a time, None where it is not known.

        Args:
            target: A frame, as in tf2's ``lookup_transform``.
            source: A frame.
            at_ns: Nanoseconds.
            max_gap_ns: Do not interpolate between stamps further apart; None for any distance.
        """
        from_source = dict(self._upwards(source, at_ns, max_gap_ns))
        for frame, frame_from_target in self._upwards(target, at_ns, max_gap_ns):
            if frame in from_source:
                matrix: FloatArray = np.linalg.inv(frame_from_target) @ from_source[frame]
                return Pose(matrix[:3, :3], matrix[:3, 3])
        return None

    def restricted_to(self, frames: Collection[str]) -> TransformHistory:
        """Only what lies between these frames and their roots."""
        wanted, kept = {frame_name(frame) for frame in frames}, set[str]()
        while wanted:
            kept |= wanted
            tracks = [self.tracks[frame] for frame in wanted if frame in self.tracks]
            wanted = {parent for track in tracks for parent in track.parents} - kept
        return replace(self, tracks={f: t for f, t in self.tracks.items() if f in kept})

    def between(self, first_ns: int, last_ns: int) -> TransformHistory:
        """Only what is needed to answer from ``first_ns`` to ``last_ns``, both with."""
        tracks = {name: track.between(first_ns, last_ns) for name, track in self.tracks.items()}
        return replace(self, tracks=tracks)

    def _upwards(
        self, frame: str, at_ns: int, max_gap_ns: int | None
    ) -> Iterable[tuple[str, FloatArray]]:
        """The frame and its parents as far as they are known, with 4×4 ``parent_from_frame``."""
        here, matrix = frame_name(frame), np.eye(4)
        met: set[str] = set()
        while here not in met:
            yield here, matrix
            met.add(here)
            known = self.tracks[here].at(at_ns, max_gap_ns) if here in self.tracks else None
            if known is None:
                return
            here, matrix = known[0], known[1].matrix() @ matrix


class TransformRecorder:
    """Collects messages of /tf and /tf_static."""

    def __init__(self) -> None:
        self._static: dict[str, _Entry] = {}
        self._moving: dict[str, dict[int, _Entry]] = {}
        self._refused = 0

    def add(self, message: Any, is_static: bool) -> None:
        """Take a tf2_msgs/TFMessage.

        Of a frame that is said to be static the last transform holds; of a moving frame's two with
        one stamp the first, as in tf2.
        """
        for transform in message.transforms:
            child = frame_name(transform.child_frame_id)
            entry = _entry(transform)
            if entry is None or entry.parent == child or not (child and entry.parent):
                self._refused += 1
            elif is_static:
                self._static[child] = entry
            else:
                self._moving.setdefault(child, {}).setdefault(stamp_ns(transform), entry)

    def history(self) -> TransformHistory:
        """All that was taken. What is static and moves as well counts as static."""
        tracks = {
            child: _track(sorted(entries.items()), is_static=False)
            for child, entries in self._moving.items()
        }
        for child, entry in self._static.items():
            tracks[child] = _track([(0, entry)], is_static=True)
        return TransformHistory(tracks, self._refused)


def frame_name(name: str) -> str:
    """A frame's name without the slash in front that ROS 1 allowed."""
    return sys.intern(name.lstrip("/"))


@dataclass(frozen=True)
class _Entry:
    parent: str
    translation: tuple[float, float, float]
    rotation: tuple[float, float, float, float]


def _entry(message: Any) -> _Entry | None:
    move, turn = message.transform.translation, message.transform.rotation
    translation = float(move.x), float(move.y), float(move.z)
    x, y, z, w = float(turn.x), float(turn.y), float(turn.z), float(turn.w)
    norm = math.hypot(x, y, z, w)
    if not (all(map(math.isfinite, translation)) and 0 < norm < math.inf):
        return None
    rotation = x / norm, y / norm, z / norm, w / norm
    return _Entry(frame_name(message.header.frame_id), translation, rotation)


def _track(entries: list[tuple[int, _Entry]], is_static: bool) -> FrameTrack:
    return FrameTrack(
        is_static,
        tuple(stamp for stamp, _ in entries),
        tuple(entry.parent for _, entry in entries),
        np.array([entry.translation for _, entry in entries]),
        np.array([entry.rotation for _, entry in entries]),
    )
