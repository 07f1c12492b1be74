# SPDX-License-Identifier: Apache-2.0
"""A damaged file's bytes, looked at where they lie."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stn_perception.bags.opening.losses import Losses


@contextmanager
def mapped(source: Path, losses: Losses) -> Iterator[mmap.mmap | None]:
    """The bytes of a file for the time of the block; None for an empty one, which is counted."""
    if not source.stat().st_size:
        losses.lose(f"{source.name} is empty.", empty_files=1)
        yield None
        return
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        yield data
