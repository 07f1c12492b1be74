# SPDX-License-Identifier: Apache-2.0
"""Where the known warping back ends are found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import torch

from stn_perception.runtime.compiled.jit import IS_AVAILABLE
from stn_perception.runtime.warp_backend import InputSample, ViewSample, WarpBackend
from stn_perception.runtime.warp_opencv import OpenCvBackend
from stn_perception.runtime.warp_reference import ReferenceBackend

__all__ = [
    "InputSample",
    "ViewSample",
    "WarpBackend",
    "backend_names",
    "get_backend",
    "register_backend",
]

_LOGGER = logging.getLogger(__name__)


@cache  # it keeps nothing, and settings that change ask for it again
def _compiled() -> WarpBackend:
    from stn_perception.runtime.warp_compiled import CompiledBackend  # Numba takes its time

    return CompiledBackend()


def _triton() -> WarpBackend:
    from stn_perception.runtime.cuda.availability import missing

    reason = missing()
    if reason is not None:
        _say_once(f"Views are not warped by CUDA kernels: {reason}. A CPU back end does it.")
        return get_backend("auto")
    from stn_perception.runtime.cuda.warp_triton import TritonBackend

    return TritonBackend(torch.device("cuda", torch.cuda.current_device()))


@cache
def _say_once(sentence: str) -> None:
    _LOGGER.warning("%s", sentence)


_BACKENDS: dict[str, Callable[[], WarpBackend]] = {
    "compiled": _compiled,
    "opencv": OpenCvBackend,
    "reference": ReferenceBackend,
    "triton": _triton,
}


def backend_names() -> tuple[str, ...]:
    """Names that ``get_backend`` knows, beside ``auto``."""
    return tuple(sorted(_BACKENDS))


def register_backend(name: str, make: Callable[[], WarpBackend]) -> None:
    """Make a back end known by name (an accelerator's, say)."""
    _BACKENDS[name] = make


def get_backend(name: str) -> WarpBackend:
    """A back end by name; ``auto`` is the compiled one where Numba is installed, else OpenCV's.

    ``triton`` needs a CUDA device and Triton; where one is missing it says so in one line of the
    log and is what ``auto`` is.

    Raises:
        ValueError: There is none of this name.
        ImportError: What it is made with is not installed.
    """
    if name == "auto":
        name = "compiled" if IS_AVAILABLE else "opencv"
    if name not in _BACKENDS:
        names = ", ".join(("auto", *backend_names()))
        raise ValueError(f"backend is {name!r}, expected one of {names}")
    return _BACKENDS[name]()
