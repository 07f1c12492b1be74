# SPDX-License-Identifier: Apache-2.0
"""One frame of TF over time.

Convention: between two stamps the translation is interpolated linearly and the rotation on the
shortest arc (Shoemake 1985, Animating Rotation with Quaternion Curves), as tf2 does; before the
first and after the last stamp nothing is known.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np

from stn_perception.geometry import FloatArray, Pose
from stn_perception.messages.quaternions import matrix_from_quaternion

_SAME_DIRECTION = 1.0 - 1e-12


@dataclass(frozen=True, eq=False)
class FrameTrack:
    """Where one frame was in its parent.

    Attributes:
        is_static: Whether it stays where it is; it has one entry then, which always holds.
        stamps_ns: Ascending, no two equal.
        parents: The parent at each stamp.
        translations: N×3, metres.
        rotations: N×4, unit quaternions x, y, z, w.
    """

    is_static: bool
    stamps_ns: tuple[int, ...]
    parents: tuple[str, ...]
    translations: FloatArray
    rotations: FloatArray

    def at(self, at_ns: int, max_gap_ns: int | None) -> tuple[str, Pose] | None:
        """The parent and ``parent_from_frame``, None where it is not known."""
        if self.is_static:
            return self.parents[0], self._pose(0)
        after = bisect.bisect_left(self.stamps_ns, at_ns)
        if after < len(self.stamps_ns) and self.stamps_ns[after] == at_ns:
            return self.parents[after], self._pose(after)
        before = after - 1
        if before < 0 or after == len(self.stamps_ns):
            return None
        gap_ns = self.stamps_ns[after] - self.stamps_ns[before]
        if self.parents[before] != self.parents[after]:
            return None
        if max_gap_ns is not None and gap_ns > max_gap_ns:
            return None
        share = (at_ns - self.stamps_ns[before]) / gap_ns
        first, second = self.translations[before], self.translations[after]
        turn = interpolated_rotation(self.rotations[before], self.rotations[after], share)
        pose = Pose(matrix_from_quaternion(turn), first + share * (second - first))
        return self.parents[before], pose

    def between(self, first_ns: int, last_ns: int) -> FrameTrack:
        """What is needed to know the frame from ``first_ns`` to ``last_ns``, both with."""
        if self.is_static:
            return self
        first = max(bisect.bisect_right(self.stamps_ns, first_ns) - 1, 0)
        end = bisect.bisect_left(self.stamps_ns, last_ns) + 1
        return FrameTrack(
            False,
            self.stamps_ns[first:end],
            self.parents[first:end],
            self.translations[first:end].copy(),
            self.rotations[first:end].copy(),
        )

    def gaps(self, max_gap_ns: int) -> int:
        """How often two stamps are further apart than that."""
        if self.is_static:
            return 0
        return int((np.diff(np.array(self.stamps_ns, dtype=np.int64)) > max_gap_ns).sum())

    def _pose(self, index: int) -> Pose:
        return Pose(matrix_from_quaternion(self.rotations[index]), self.translations[index])


def interpolated_rotation(first: FloatArray, second: FloatArray, share: float) -> FloatArray:
    """The unit quaternion (4,) at ``share`` (0 to 1) of the shortest arc between two."""
    cos = float(first @ second)
    if cos < 0:
        second, cos = -second, -cos
    if cos > _SAME_DIRECTION:
        return first
    angle = math.acos(cos)
    weights = math.sin((1 - share) * angle), math.sin(share * angle)
    return np.asarray((weights[0] * first + weights[1] * second) / math.sin(angle))
