# SPDX-License-Identifier: Apache-2.0
"""Whether the kernels can run here, and the sentence that says why not."""

from __future__ import annotations

from importlib.util import find_spec

import torch


def missing() -> str | None:
    """What keeps the kernels from running on a GPU; None where nothing does."""
    if not torch.cuda.is_available():
        return f"no CUDA device: PyTorch {torch.__version__} sees none"
    if find_spec("triton") is None:
        return "Triton is not installed (PyTorch's CUDA builds bring it; else: pip install triton)"
    return None


def is_interpreted() -> bool:
    """Whether Triton runs the kernels on the CPU, in its interpreter."""
    import triton.knobs  # type: ignore[import-untyped,import-not-found,unused-ignore]

    return bool(triton.knobs.runtime.interpret)
