# SPDX-License-Identifier: Apache-2.0
"""The same number of CPU threads for every contender."""

from __future__ import annotations

import os

from stn_perception.runtime.threads import set_threads


def use_threads(count: int) -> int:
    """Give torch, OpenCV and ours so many, one a core for 0, and return the number.

    Raises:
        ValueError: The number is negative.
    """
    if count < 0:
        raise ValueError(f"threads is {count}, expected 0 or more")
    threads = count or len(os.sched_getaffinity(0))
    set_threads(threads)
    return threads
