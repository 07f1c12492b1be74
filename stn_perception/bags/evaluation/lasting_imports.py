# SPDX-License-Identifier: Apache-2.0
"""Imports without the garbage collector."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def lasting_imports() -> Iterator[None]:
    """What there is at the end of the block is never searched for garbage.

    Imports make half a million objects that stay: to search them over and over while they are
    made takes a fifth of the time, and each search later is as long again. A process that is
    forked afterwards shares their memory as long as nobody writes into them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
