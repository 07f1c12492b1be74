# SPDX-License-Identifier: Apache-2.0
"""Where the known warping back ends are found."""

from __future__ import annotations

from collections.abc import Callable

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

_BACKENDS: dict[str, Callable[[], WarpBackend]] = {
    "opencv": OpenCvBackend,
    "reference": ReferenceBackend,
}


def backend_names() -> tuple[str, ...]:
    """Names that ``get_backend`` knows."""
    return tuple(sorted(_BACKENDS))


def register_backend(name: str, make: Callable[[], WarpBackend]) -> None:
    """Make a back end known by name (an accelerator's, say)."""
    _BACKENDS[name] = make


def get_backend(name: str) -> WarpBackend:
    """A back end by name.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in _BACKENDS:
        raise ValueError(f"backend is {name!r}, expected one of {', '.join(backend_names())}")
    return _BACKENDS[name]()
