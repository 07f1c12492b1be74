# SPDX-License-Identifier: Apache-2.0
"""Keep large message buffers in the heap instead of mapping and faulting them each time.

Above 128 KiB (growing to 32 MiB at most) glibc serves every block from fresh pages, and a
received image costs more in page faults than in copying: 13.4 ms of CPU per 1080p frame instead
of 3.5 ms, measured.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1  # malloc.h
_M_MMAP_THRESHOLD = -3
MMAP_THRESHOLD_BYTES = 1 << 30
TRIM_THRESHOLD_BYTES = 512 << 20


def keep_large_blocks() -> bool:
    """Raise the C library's mmap and trim thresholds; False where it has no ``mallopt``."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    mallopt.restype = ctypes.c_int
    accepted = mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES)
    return bool(accepted and mallopt(_M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES))
