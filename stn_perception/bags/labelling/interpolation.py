# SPDX-License-Identifier: Apache-2.0
"""Corners between key frames: along a smooth path of homographies.

Between two key frames the plane of the object moves along the geodesic of
``interpolate_homographies``; with further key frames beside them, along the smooth curve that
passes through all four (Barry and Goldman 1988, "A recursive evaluation algorithm for a class of
Catmull-Rom splines", every straight step replaced by a geodesic one). A plane that moves by the
same homography over and over is met exactly either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import FloatArray, view_quad
from stn_perception.geometry.lie_stacks import interpolate_homographies
from stn_perception.geometry.quads import are_convex_clockwise, frame_from_view_of_quad

# A curve through a stop or a start overshoots: key frames beyond such a change of speed do not
# count. On the motion of the sample recording with a key frame every 15 frames, limits of 3, 5
# and none gave 95 % of the corners within 6.3, 3.3 and 3.3 px.
_GREATEST_CHANGE_OF_SPEED = 5.0
# The slope of a short step beside a long one would carry the noise of its clicks far.
_SHORTEST_PART = 1 / 3

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Between:
    """Corners between key frames.

    Attributes:
        corners: N×4×2 pixels.
        straight: (N,) whether they lie on straight lines, for want of a way of homographies.
        exists: (N,) whether they are a convex outline in the right order at all.
    """

    corners: FloatArray
    straight: Mask
    exists: Mask


def between_keys(times: FloatArray, quads: FloatArray, at: FloatArray) -> Between:
    """The corners of an object between its key frames.

    Args:
        times: (K,) of the key frames, increasing, at least two.
        quads: K×4×2 corners at the key frames, convex and clockwise.
        at: (N,) times within those of the key frames.
    """
    homographies = frame_from_view_of_quad(quads, 1.0, 1.0)
    segments = np.clip(np.searchsorted(times, at, side="right") - 1, 0, len(times) - 2)
    corners = np.empty((len(at), 4, 2))
    straight = np.zeros(len(at), dtype=bool)
    for segment in np.unique(segments):
        here = segments == segment
        path = _Curve(times, homographies, at[here])
        curved, has_way = path.through(*_counting(times, quads, int(segment)), int(segment))
        found = view_quad(curved, 1.0, 1.0)
        sound = has_way & are_convex_clockwise(found)
        lines = _straight(times, quads, at[here], int(segment))
        corners[here] = np.where(sound[:, None, None], found, lines)
        straight[here] = ~sound
    return Between(corners, straight, are_convex_clockwise(corners))


def _counting(times: FloatArray, quads: FloatArray, segment: int) -> tuple[int, int]:
    """First and last key frame that a segment's curve passes through."""
    durations = np.diff(times)
    speeds = np.linalg.norm(np.diff(quads, axis=0), axis=-1).mean(axis=-1) / durations

    def alike(other: int) -> bool:
        if not 0 <= other < len(speeds):
            return False
        if durations[other] < _SHORTEST_PART * durations[segment]:
            return False
        slow, fast = sorted((speeds[segment], speeds[other]))
        return bool(0 < fast <= _GREATEST_CHANGE_OF_SPEED * slow)

    return (
        segment - 1 if alike(segment - 1) else segment,
        segment + 2 if alike(segment + 1) else segment + 1,
    )


@dataclass(frozen=True, eq=False)
class _Curve:
    """Curves through homographies, evaluated at the same times."""

    times: FloatArray
    homographies: FloatArray
    at: FloatArray

    def through(self, first: int, last: int, segment: int) -> tuple[FloatArray, Mask]:
        """The curve of a segment through the key frames ``first`` to ``last``, N×3×3."""
        level: Sequence[tuple[FloatArray, Mask]] = [
            (np.broadcast_to(self.homographies[key], (len(self.at), 3, 3)), np.ones(1, dtype=bool))
            for key in range(first, last + 1)
        ]
        for reach in range(1, last - first + 1):
            spans = [(first + i, first + i + reach) for i in range(len(level) - 1)]
            if reach == 3:  # the last of four: the two parabolas blend within the segment
                spans = [(segment, segment + 1)]
            level = [
                self._part(left, right, *span)
                for left, right, span in zip(level[:-1], level[1:], spans, strict=True)
            ]
        return level[0]

    def _part(
        self, left: tuple[FloatArray, Mask], right: tuple[FloatArray, Mask], start: int, end: int
    ) -> tuple[FloatArray, Mask]:
        """Each time's part of the way from one curve to another, and whether there is one."""
        parts = (self.at - self.times[start]) / (self.times[end] - self.times[start])
        # One part for each item: the function multiplies its logarithms by them.
        stacked = parts[:, None, None]
        found, has_way = interpolate_homographies(left[0], right[0], stacked)
        return found, left[1] & right[1] & has_way


def _straight(times: FloatArray, quads: FloatArray, at: FloatArray, segment: int) -> FloatArray:
    part = (at - times[segment]) / (times[segment + 1] - times[segment])
    lines = (1 - part[:, None, None]) * quads[segment] + part[:, None, None] * quads[segment + 1]
    return np.asarray(lines)
