# SPDX-License-Identifier: Apache-2.0
"""How well views agree with known poses, up to the one constant transform they may choose."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import quad_side_px
from stn_perception.training.crops import frame_from_square
from stn_perception.training.own_bag.errors import OwnBagError

Quad = NDArray[np.float64]
# Half of these estimate the constant transform.
_LEAST_VIEWS = 8


@dataclass(frozen=True, eq=False)
class Agreement:
    """How well views agree with the truth, one value per scored view.

    Attributes:
        corner_percent: mean corner distance in percent of the true object's side.
        angle_deg: absolute difference of the turns.
    """

    corner_percent: NDArray[np.float64]
    angle_deg: NDArray[np.float64]


def agreement(views: Quad, truths: Quad) -> Agreement:
    """Compare views with the truth up to one constant transform.

    Args:
        views: N×4×2, the corners of each view in its frame, pixels.
        truths: N×4×2, the object's true corners in the same frame.

    Raises:
        OwnBagError: there are too few to estimate the constant and score.
    """
    if len(views) < _LEAST_VIEWS:
        raise OwnBagError(f"{len(views)} views have a truth, expected at least {_LEAST_VIEWS}")
    frame_from_object = [frame_from_square(truth) for truth in truths]
    in_object = np.stack(
        [
            cv2.perspectiveTransform(view[None], np.linalg.inv(matrix))[0]
            for view, matrix in zip(views, frame_from_object, strict=True)
        ]
    )
    # The median leaves views that turned out quite differently without a say.
    constant = np.median(in_object[::2], axis=0)
    percent, angles = [], []
    for index in range(1, len(views), 2):
        expected = cv2.perspectiveTransform(constant[None], frame_from_object[index])[0]
        distance = np.linalg.norm(views[index] - expected, axis=1).mean()
        percent.append(100 * distance / quad_side_px(truths[index]))
        turn = _turn(views[index]) - _turn(expected)
        angles.append(abs(float(np.degrees((turn + np.pi) % (2 * np.pi) - np.pi))))
    return Agreement(np.array(percent), np.array(angles))


def _turn(quad: Quad) -> float:
    """Turn of the similarity that fits a quadrilateral best, radians."""
    a, b = quad[0] - quad[2], quad[1] - quad[3]
    return float(np.arctan2(a[1] - b[0], a[0] + b[1]))
