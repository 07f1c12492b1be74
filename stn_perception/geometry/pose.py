# SPDX-License-Identifier: Apache-2.0
"""Poses of planar objects, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stn_perception.geometry.arrays import FloatArray

PoseSource = Literal["size", "depth", "orientation"]


@dataclass(frozen=True, eq=False)
class Pose:
    """``optical_from_object``: rotation 3×3 and translation (3,) in metres."""

    rotation: FloatArray
    translation: FloatArray

    def matrix(self) -> FloatArray:
        """The 4×4 rigid transform."""
        result = np.eye(4)
        result[:3, :3] = self.rotation
        result[:3, 3] = self.translation
        return result

    @property
    def normal(self) -> FloatArray:
        """The plane's normal in the optical frame, pointing away from the viewer, (3,)."""
        return np.asarray(self.rotation[:, 2])


@dataclass(frozen=True, eq=False)
class PlanarPoseEstimate:
    """A pose and how far it can be trusted.

    Attributes:
        pose: the better solution, optical_from_object.
        alternative: the plane's other solution (the "flip"), None where there is only one.
        ambiguity: the alternative's reprojection error over the pose's, at least 1; close to 1
            the two cannot be told apart; infinite where there is no alternative or no error.
        covariance: 6×6, None where the corners came without one.
        translation_known: False where only the orientation is; the translation is NaN then.
        source: what the pose was found from.
    """

    pose: Pose
    alternative: Pose | None
    ambiguity: float
    covariance: FloatArray | None
    translation_known: bool
    source: PoseSource
