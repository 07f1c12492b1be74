# SPDX-License-Identifier: Apache-2.0
"""The box a detector would give: the bounding box with an error of its own on every edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import AxisAlignedBox

Points = NDArray[np.float64]


def given_box(rng: np.random.Generator, points: Points, jitter: float) -> Points:
    """Return centre x, centre y, width and height of a bounding box with errors.

    Args:
        rng: source of the errors; takes four normal draws.
        points: N×2, what the box is of.
        jitter: standard deviation of each edge as a share of its side; no edge is off by more
            than twice that.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    size = high - low
    low = low + np.clip(rng.normal(0, jitter, 2), -2 * jitter, 2 * jitter) * size
    high = high + np.clip(rng.normal(0, jitter, 2), -2 * jitter, 2 * jitter) * size
    return np.concatenate([(low + high) / 2, high - low])


def as_axis_aligned(box: Points) -> AxisAlignedBox:
    """Return centre x, centre y, width and height, pixels, as the runtime's box."""
    return AxisAlignedBox(*(float(v) for v in box))
