# SPDX-License-Identifier: Apache-2.0
"""What changes with the code that results come from."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOMS = ("geometry", "messages", "stn", "runtime", "bags")


@cache
def source_version() -> str:
    """SHA-256 over the package's files that take part in an evaluation."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for room in _ROOMS:
        for file in sorted((root / room).rglob("*.py")):
            digest.update(str(file.relative_to(root)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
