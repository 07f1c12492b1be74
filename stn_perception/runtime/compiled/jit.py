# SPDX-License-Identifier: Apache-2.0
"""Scalar functions as machine code where Numba is installed, and as they stand where it is not."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

IS_AVAILABLE = find_spec("numba") is not None


def compiled(function: Function) -> Function:
    """Compile at the first call, without the interpreter's lock, and keep the code on disk.

    Multiplications and additions may be contracted, nothing else is reordered: results do not
    depend on how work is divided.
    """
    if not IS_AVAILABLE:
        return function
    from numba import njit

    return cast(
        Function,
        njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function),
    )
