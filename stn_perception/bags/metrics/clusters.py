# SPDX-License-Identifier: Apache-2.0
"""Which samples belong together: neighbouring frames are no independent samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Texts = NDArray[np.str_]

# One object within one second of its clock is one cluster.
CLUSTER_NS = 1_000_000_000


def cluster_numbers(stamp_ns: Integers, *names: Texts) -> Integers:
    """Number the clusters of N samples from 0.

    Args:
        stamp_ns: N stamps; whole seconds of the clock part them.
        names: What else parts them (recording, camera, object), N texts each.

    Returns:
        N numbers; equal ones belong together.
    """
    numbers = _numbered(stamp_ns // CLUSTER_NS)
    for column in names:
        following = _numbered(column)
        numbers = _numbered(numbers * (following.max(initial=0) + 1) + following)
    return numbers


def _numbered(values: Integers | Texts) -> Integers:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64).reshape(-1)
