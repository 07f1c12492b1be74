# SPDX-License-Identifier: Apache-2.0
"""Where the network runs, and how its results stay the same from call to call."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import torch

from stn_perception.runtime.archive_errors import ArchiveError


def resolve_device(name: str) -> torch.device:
    """The device for ``auto`` (CUDA if there is one), ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        ArchiveError: An unknown name, or a device that this machine lacks.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match is None:
        raise ArchiveError(f"The device '{name}' is unknown, expected auto, cpu, cuda or cuda:N.")
    index = int(match.group(1) or 0)
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= available:
        raise ArchiveError(
            f"The device '{name}' is not there: this PyTorch sees {available} CUDA devices."
        )
    return torch.device("cuda", index)


@contextlib.contextmanager
def reproducible_inference(device: torch.device) -> Iterator[None]:
    """Inference whose bits depend on the input alone, not on how often it ran before.

    TorchScript's profiling executor rewrites a graph after its first runs, and again for new
    shapes; it is switched off for the calling thread. On CUDA, cuDNN keeps to deterministic
    kernels and full float32 (TF32 would differ by 1e-3 between batch sizes).
    """
    kernels: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
    if device.type == "cuda":
        kernels = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
    unprofiled = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
    with kernels, torch.inference_mode(), unprofiled:
        yield
