# SPDX-License-Identifier: Apache-2.0
"""Commands that are asked to end: by Ctrl-C, or by SIGTERM as service managers do."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt, also where a shell had SIGINT ignored.

    So what is half done is cleared away whichever of them comes. For the main thread only.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
