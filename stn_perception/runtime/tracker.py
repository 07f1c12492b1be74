# SPDX-License-Identifier: Apache-2.0
"""Follows objects from frame to frame: one slot per object as long as it lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import OrientedBox, oriented_box_of_view
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.lie import interpolate_homography
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.geometry.views import check_view_transform
from stn_perception.runtime.results import ViewEstimate
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.track_matching import match_tracks
from stn_perception.runtime.view_check import in_front_of_camera
from stn_perception.runtime.view_turns import nearest_turn, turned, upright_turn

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrackedView:
    """An estimate with its place in time.

    Attributes:
        estimate: The network's answer, turned to continue the track.
        track_id: Number of the track.
        slot: Its slot, or None when all were taken.
        frame_from_view: 3×3 in pixels, smoothed.
    """

    estimate: ViewEstimate
    track_id: int
    slot: int | None
    frame_from_view: Matrix


@dataclass
class _Track:
    track_id: int
    upstream_id: str
    id_lasts: bool
    slot: int | None
    seen_ns: int
    box: OrientedBox
    frame_from_normalized: Matrix
    smoothed_from_normalized: Matrix


class Tracker:
    """Tracks of one camera.

    A stamp before the last one (a looped recording) forgets every track; numbers go on.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 0
        self._last_ns: int | None = None

    def reset(self) -> None:
        """Forget every track."""
        self._tracks = []
        self._last_ns = None

    def update(
        self,
        stamp_ns: int,
        estimates: Sequence[ViewEstimate],
        view_size: tuple[int, int],
        symmetry: int,
        settings: PipelineSettings,
    ) -> list[TrackedView]:
        """Continue, start and end tracks with one frame's estimates.

        Args:
            stamp_ns: The frame's stamp.
            estimates: In any order; the result has the same.
            view_size: Width and height that their transforms are for, in pixels.
            symmetry: Number of quarter-turn poses that look canonical: 1, 2 or 4.
            settings: Matching, smoothing and number of slots.
        """
        if self._last_ns is not None and stamp_ns < self._last_ns:
            self.reset()
        self._last_ns = stamp_ns
        oldest_ns = stamp_ns - round(settings.track_timeout_s * 1e9)
        self._tracks = [track for track in self._tracks if track.seen_ns >= oldest_ns]
        boxes = [oriented_box_of_view(e.frame_from_view, *view_size) for e in estimates]
        matches = match_tracks(
            [(track.upstream_id, track.box) for track in self._tracks],
            [(estimate.region.id, box) for estimate, box in zip(estimates, boxes, strict=True)],
            settings.track_iou,
            {index for index, track in enumerate(self._tracks) if track.id_lasts},
        )
        self._promote(settings.max_objects)
        continued = {new: self._tracks[old] for old, new in matches}
        views = []
        for index, (estimate, box) in enumerate(zip(estimates, boxes, strict=True)):
            track = continued.get(index)
            if track is None:
                turn = upright_turn(estimate.frame_from_view, view_size, symmetry)
                estimate = turned(estimate, view_size, turn)
                track = self._start(estimate, view_size, settings.max_objects)
            else:
                if estimate.region.id:
                    track.id_lasts = estimate.region.id == track.upstream_id
                previous = track.frame_from_normalized @ normalized_from_pixel(*view_size)
                turn = nearest_turn(estimate.frame_from_view, previous, view_size, symmetry)
                estimate = turned(estimate, view_size, turn)
            transform = _follow(track, estimate.frame_from_view, view_size, settings.smoothing)
            track.seen_ns = stamp_ns
            track.box = box
            track.upstream_id = estimate.region.id or track.upstream_id
            views.append(TrackedView(estimate, track.track_id, track.slot, transform))
        return views

    def _start(self, estimate: ViewEstimate, view_size: tuple[int, int], slots: int) -> _Track:
        from_normalized = estimate.frame_from_view @ pixel_from_normalized(*view_size)
        track = _Track(
            track_id=self._next_id,
            upstream_id=estimate.region.id,
            id_lasts=False,
            slot=self._free_slot(slots),
            seen_ns=0,
            box=oriented_box_of_view(estimate.frame_from_view, *view_size),
            frame_from_normalized=from_normalized,
            smoothed_from_normalized=from_normalized,
        )
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _promote(self, slots: int) -> None:
        """Give free slots to living tracks without one, the oldest first."""
        for track in self._tracks:
            if track.slot is not None and track.slot >= slots:
                track.slot = None
        for track in self._tracks:
            if track.slot is None:
                track.slot = self._free_slot(slots)

    def _free_slot(self, slots: int) -> int | None:
        taken = {track.slot for track in self._tracks}
        return next((slot for slot in range(slots) if slot not in taken), None)


def _follow(
    track: _Track, frame_from_view: Matrix, view_size: tuple[int, int], smoothing: float
) -> Matrix:
    """The smoothed transform; the newest itself without smoothing or where it cannot be used."""
    from_normalized = frame_from_view @ pixel_from_normalized(*view_size)
    track.frame_from_normalized = from_normalized
    smoothed = frame_from_view
    if smoothing > 0:
        try:
            moved = interpolate_homography(
                track.smoothed_from_normalized, from_normalized, 1.0 - smoothing
            )
            candidate = in_front_of_camera(moved @ normalized_from_pixel(*view_size), *view_size)
            check_view_transform(candidate, *view_size)
            smoothed = candidate
        except InvalidTransformError:
            pass  # half a turn or a fold apart: there is no way between them, start afresh
    track.smoothed_from_normalized = smoothed @ pixel_from_normalized(*view_size)
    return smoothed
