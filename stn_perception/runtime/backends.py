# SPDX-License-Identifier: Apache-2.0
"""Where the known warping back ends are found."""

from __future__ import annotations

from collections.abc import Callable

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


def _compiled() -> WarpBackend:
    from stn_perception.runtime.warp_compiled import CompiledBackend  # Numba takes its time

    return CompiledBackend()


_BACKENDS: dict[str, Callable[[], WarpBackend]] = {
    "compiled": _compiled,
    "opencv": OpenCvBackend,
    "reference": ReferenceBackend,
}


def backend_names() -> tuple[str, ...]:
    """Names that ``get_backend`` knows, beside ``auto``."""
    return tuple(sorted(_BACKENDS))


def register_backend(name: str, make: Callable[[], WarpBackend]) -> None:
    """Make a back end known by name (an accelerator's, say)."""
    _BACKENDS[name] = make


def get_backend(name: str) -> WarpBackend:
    """A back end by name; ``auto`` is the compiled one where Numba is installed, else OpenCV's.

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
