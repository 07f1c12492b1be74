# SPDX-License-Identifier: Apache-2.0
"""Streams and events of a device; None without CUDA, where everything happens at once."""

from __future__ import annotations

import torch


def new_stream(device: torch.device) -> torch.cuda.Stream | None:
    """A stream of its own."""
    if device.type != "cuda":
        return None
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def new_event(device: torch.device) -> torch.cuda.Event | None:
    """An event; one that was never recorded has always happened."""
    if device.type != "cuda":
        return None
    return torch.cuda.Event()  # type: ignore[no-untyped-call]
