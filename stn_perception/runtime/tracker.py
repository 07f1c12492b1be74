# SPDX-License-Identifier: Apache-2.0
"""Follows objects from frame to frame: one slot per object as long as it lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import oriented_rows_of_views
from stn_perception.geometry.lie_stacks import interpolate_homographies
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.geometry.quads import view_quad
from stn_perception.geometry.views import seen_views
from stn_perception.runtime.results import ViewEstimate
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.track_matching import match_tracks
from stn_perception.runtime.view_turns import (
    nearest_turns,
    turned,
    turned_corners,
    upright_turns,
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrackedView:
    """An estimate with its place in time.

    Attributes:
        estimate: The network's answer, turned to continue the track.
        track_id: Number of the track.
        slot: Its slot, or None when all were taken.
        frame_from_view: 3×3 in pixels, smoothed.
        corners: 4×2 pixels, where that view's corners lie in the frame.
    """

    estimate: ViewEstimate
    track_id: int
    slot: int | None
    frame_from_view: Matrix
    corners: Matrix


@dataclass
class _Track:
    """What is remembered of an object.

    Attributes:
        track_id, slot: As in ``TrackedView``.
        upstream_id: The last id that came with it.
        id_lasts: Whether that id came in more than one frame.
        seen_ns: When it was seen last.
        box: Oriented box of its last view, a row of five.
        corners: 4×2 pixels, where the corners of its last view were, not smoothed.
        from_normalized: 3×3, its last transform from normalised axes, as it was shown; None for
            a new track.
    """

    track_id: int
    upstream_id: str
    slot: int | None
    id_lasts: bool = False
    seen_ns: int = 0
    box: Matrix = field(default_factory=lambda: np.zeros(5))
    corners: Matrix = field(default_factory=lambda: np.zeros((4, 2)))
    from_normalized: Matrix | None = None


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
        if not estimates:
            self._promote(settings.max_objects)
            return []
        views = np.array([estimate.frame_from_view for estimate in estimates])
        boxes = oriented_rows_of_views(views, *view_size)
        box_ids = [estimate.region.id for estimate in estimates]
        matches = match_tracks(
            [track.upstream_id for track in self._tracks],
            np.array([track.box for track in self._tracks]).reshape(-1, 5),
            box_ids,
            boxes,
            settings.track_iou,
            {index for index, track in enumerate(self._tracks) if track.id_lasts},
        )
        continued = {new: self._tracks[old] for old, new in matches}
        free_slots = self._promote(settings.max_objects)
        corners = view_quad(views, *view_size)
        turns = _turns(views, corners, continued, view_size, symmetry)
        if turns.any():
            corners = turned_corners(corners, turns)
            estimates = [
                turned(estimate, view_size, turn)
                for estimate, turn in zip(estimates, turns.tolist(), strict=True)
            ]
            views = np.array([estimate.frame_from_view for estimate in estimates])
        tracks = []
        for index, upstream_id in enumerate(box_ids):
            track = continued.get(index)
            if track is None:
                track = self._start(upstream_id, next(free_slots, None))
            elif upstream_id:
                track.id_lasts = upstream_id == track.upstream_id
            track.upstream_id = upstream_id or track.upstream_id
            tracks.append(track)
        shown, shown_corners = views, corners
        if settings.smoothing > 0:
            shown, shown_corners = _smoothed(tracks, views, corners, view_size, settings)
        from_normalized = shown @ pixel_from_normalized(*view_size)
        for index, track in enumerate(tracks):
            track.seen_ns = stamp_ns
            track.box = boxes[index]
            track.corners = corners[index]
            track.from_normalized = from_normalized[index]
        return [
            TrackedView(estimate, track.track_id, track.slot, transform, quad)
            for estimate, track, transform, quad in zip(
                estimates, tracks, shown, shown_corners, strict=True
            )
        ]

    def _start(self, upstream_id: str, slot: int | None) -> _Track:
        track = _Track(track_id=self._next_id, upstream_id=upstream_id, slot=slot)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _promote(self, slots: int) -> Iterator[int]:
        """Give free slots to living tracks without one, the oldest first; the slots left over."""
        for track in self._tracks:
            if track.slot is not None and track.slot >= slots:
                track.slot = None
        taken = {track.slot for track in self._tracks}
        free = iter([slot for slot in range(slots) if slot not in taken])
        for track in self._tracks:
            if track.slot is None:
                track.slot = next(free, None)
        return free


def _turns(
    views: Matrix,
    corners: Matrix,
    continued: Mapping[int, _Track],
    view_size: tuple[int, int],
    symmetry: int,
) -> NDArray[np.intp]:
    """Quarter turns (N,) that continue each track, and show new ones nearest to upright."""
    turns = np.zeros(len(views), dtype=np.intp)
    old = np.array(sorted(continued), dtype=np.intp)
    if len(old):
        previous = np.array([continued[index].corners for index in old.tolist()])
        turns[old] = nearest_turns(corners[old], previous, symmetry)
    if len(old) < len(views):
        is_new = np.ones(len(views), dtype=bool)
        is_new[old] = False
        turns[is_new] = upright_turns(views[is_new], view_size, symmetry)
    return turns


def _smoothed(
    tracks: Sequence[_Track],
    views: Matrix,
    corners: Matrix,
    view_size: tuple[int, int],
    settings: PipelineSettings,
) -> tuple[Matrix, Matrix]:
    """The smoothed transforms and their corners; the newest where there is no way between."""
    newest = views @ pixel_from_normalized(*view_size)
    last = np.array(
        [
            newest[place] if track.from_normalized is None else track.from_normalized
            for place, track in enumerate(tracks)
        ]
    )
    moved, usable = interpolate_homographies(last, newest, 1.0 - settings.smoothing)
    seen = seen_views(moved @ normalized_from_pixel(*view_size), *view_size)
    usable[list(seen.faults)] = False  # half a turn or a fold apart: start afresh
    chosen = usable[:, None, None]
    return np.where(chosen, seen.frame_from_view, views), np.where(chosen, seen.corners, corners)
