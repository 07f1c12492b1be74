# SPDX-License-Identifier: Apache-2.0
"""How far a registration is from the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.registration.cases import RegistrationCase


@dataclass(frozen=True)
class RegistrationError:
    """Of one pair.

    Attributes:
        mean_px: Mean distance between found and true points over the tissue.
        angle_deg: Absolute; None where there is no true angle or none was found.
        scale: Absolute, of found over true scale, less 1.
    """

    mean_px: float
    angle_deg: float | None = None
    scale: float | None = None


def error_of_points(case: RegistrationCase, points: NDArray[np.float64]) -> RegistrationError:
    """The error of a dense result, H×W×2 points of the source in pixels."""
    distances = np.linalg.norm(points - case.true_points, axis=2)
    return RegistrationError(float(distances[case.judged()].mean()))


def error_of_matrix(
    case: RegistrationCase, points: NDArray[np.float64], found: NDArray[np.float64]
) -> RegistrationError:
    """The error of a source_from_view in pixels, and that of its nearest similarity."""
    mean_px = error_of_points(case, points).mean_px
    if case.matrix is None:
        return RegistrationError(mean_px)
    angle_rad, scale = _angle_and_scale(found)
    true_angle_rad, true_scale = _angle_and_scale(case.matrix)
    turn = math.remainder(angle_rad - true_angle_rad, 2 * math.pi)
    return RegistrationError(mean_px, abs(math.degrees(turn)), abs(scale / true_scale - 1))


def _angle_and_scale(matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Of the similarity nearest to the linear part in the sum of squares."""
    (a, b), (c, d) = matrix[:2, :2] / matrix[2, 2]
    return math.atan2(c - b, a + d), math.hypot(a + d, c - b) / 2
