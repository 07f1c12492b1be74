# SPDX-License-Identifier: Apache-2.0
"""Entries of a cache that several processes use: made once, and whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stn_perception.bags.errors import BagError


def cached_entry(cache: Path, name: str, key: Any, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, made by the first process that asks for it.

    Others wait meanwhile. A process that is killed in the middle leaves a hidden folder, which
    the next one clears.

    Args:
        cache: Folder of the cache; made if need be.
        name: What the entry is called, for whoever looks into the cache.
        key: What the entry depends on, as JSON values.
        make: Fills the folder that it is given.

    Raises:
        BagError: The cache cannot be written to.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:20]
    entry = cache / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', name)[-60:].strip('_.') or 'bag'}-{digest}"
    if entry.exists():
        return entry
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache / f".{digest}.lock"):
            if not entry.exists():
                _make(entry, cache / f".{digest}.partial", make)
    except OSError as error:
        raise BagError(f"the cache {cache} cannot be used: {error.strerror or error}.") from error
    return entry


def _make(entry: Path, partial: Path, make: Callable[[Path], None]) -> None:
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        make(partial)
        for path in partial.rglob("*"):
            if path.is_file() and not path.is_symlink():
                _flush(path)
        partial.rename(entry)
    except BaseException:
        shutil.rmtree(partial)
        raise


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Hold a lock that goes with its process, however that ends."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
