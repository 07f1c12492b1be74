# SPDX-License-Identifier: Apache-2.0
"""Large buffers stay in the heap instead of being mapped and faulted in each time."""

from __future__ import annotations

import ctypes

import pytest

from stn_perception.runtime import process_memory


def test_large_blocks_come_from_the_heap_afterwards() -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("this C library has no mallopt")
    assert process_memory.keep_large_blocks()
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
    libc.malloc.argtypes, libc.sbrk.argtypes = [ctypes.c_size_t], [ctypes.c_ssize_t]
    libc.free.argtypes = [ctypes.c_void_p]
    block = libc.malloc(64 << 20)
    try:
        assert block < libc.sbrk(0), "a block of 64 MiB was mapped instead of taken from the heap"
    finally:
        libc.free(block)
