# SPDX-License-Identifier: Apache-2.0
"""Whether what was asked for became a view: one yes or no per box and per true object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import FrameRecord
from stn_perception.bags.metrics.clusters import cluster_numbers

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Answers:
    """Yes (1) or no (0) of N questions, and the cluster of each.

    Attributes:
        values: N of 0 and 1.
        clusters: N; questions of one camera within one second are one cluster.
    """

    values: Floats
    clusters: Integers


def coverage(frames: Sequence[FrameRecord]) -> Answers:
    """Return for every region asked for whether it became a view."""
    return _answers(frames, [(min(f.views, f.boxes), f.boxes) for f in frames])


def truth_coverage(frames: Sequence[FrameRecord]) -> Answers:
    """Return for every true object in a frame whether a view shows it."""
    return _answers(frames, [(f.truths - f.truth_missed, f.truths) for f in frames])


def _answers(frames: Sequence[FrameRecord], counts: Sequence[tuple[int, int]]) -> Answers:
    stamps = np.array([frame.stamp_ns for frame in frames], dtype=np.int64)
    bags = np.array([frame.bag for frame in frames], dtype=np.str_)
    cameras = np.array([frame.camera for frame in frames], dtype=np.str_)
    yes, asked = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    # In each frame first the yes, then the no.
    order = np.stack([yes, asked - yes], axis=1).ravel()
    values = np.repeat(np.tile([1.0, 0.0], len(frames)), order)
    clusters = np.repeat(cluster_numbers(stamps, bags, cameras), asked)
    return Answers(values, clusters)
