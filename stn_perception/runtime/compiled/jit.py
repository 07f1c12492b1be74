# SPDX-License-Identifier: Apache-2.0
"""Scalar functions as machine code where Numba is installed, and as they stand where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

IS_AVAILABLE = find_spec("numba") is not None

_HERE = Path(__file__).parent
_COMPILED_ELSEWHERE = ("sampling_plan.py", "seen_part.py")


def compiled(function: Function) -> Function:
    """Make a piece of the functions that ``kept_on_disk`` marks, compiled together with them."""
    return _jit(function, keep=False)


def kept_on_disk(function: Function) -> Function:
    """Compile at the first call, without the interpreter's lock, and keep the code on disk.

    Numba looks for changes in the function's own file alone. So the function must enclose
    ``source_version()``, which makes code kept from other sources another function's.
    """
    return _jit(function, keep=True)


@cache
def source_version() -> int:
    """Changes with every file that holds compiled functions."""
    files = [*sorted(_HERE.glob("*.py")), *(_HERE.parent / name for name in _COMPILED_ELSEWHERE)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:4], "big")


def _jit(function: Function, keep: bool) -> Function:
    """Multiplications and additions may be contracted; nothing else is reordered.

    So results do not depend on how work is divided.
    """
    if not IS_AVAILABLE:
        return function
    from numba import njit

    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    return cast(Function, njit(cache=keep, **options)(function))
