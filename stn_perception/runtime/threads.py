# SPDX-License-Identifier: Apache-2.0
"""How many CPU threads networks and sampling use: torch's and OpenCV's numbers, always alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch


def set_threads(count: int) -> None:
    """So many from now on."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


@contextmanager
def one_thread() -> Iterator[None]:
    """One within the block: how threads share a busy machine varies most of all."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    set_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])
