# SPDX-License-Identifier: Apache-2.0
"""Work that holds no interpreter lock, shared out over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


def in_parts(work: Callable[[int, int], None], total: int, parts: int) -> None:
    """Call ``work(first, last)`` on consecutive parts of ``range(total)``, all at once.

    The caller's own thread does the first part. What a part raises is raised here, once all are
    done.

    Args:
        work: Releases the interpreter's lock while it works.
        total: Size of the whole.
        parts: Into how many to cut it, at most.
    """
    parts = max(1, min(parts, total))
    if parts == 1:
        work(0, total)
        return
    bounds = [total * part // parts for part in range(parts + 1)]
    pool = _pool(os.getpid())
    others = [pool.submit(work, bounds[part], bounds[part + 1]) for part in range(1, parts)]
    try:
        work(bounds[0], bounds[1])
    finally:
        errors = [other.exception() for other in others]
    for error in errors:
        if error is not None:
            raise error


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    """One pool a process: threads do not survive a fork."""
    return ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="stn-sampling")
