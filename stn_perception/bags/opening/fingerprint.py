# SPDX-License-Identifier: Apache-2.0
"""One hash for the bytes of a recording, whatever its files are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from stn_perception.bags.reader import STORAGE_SUFFIXES

_BLOCK = 1 << 20


def recording_sha256(path: Path) -> str:
    """Return the SHA-256 of a recording's storage files, which renaming them does not change.

    One file counts by the hash of its bytes, as ``sha256sum`` prints it. Of several, the
    hexadecimal hashes are sorted, joined by line feeds and hashed again. Metadata beside the
    storage files does not count.

    Args:
        path: A storage file, or a folder of them.
    """
    return combined_sha256([file_sha256(file) for file in storage_files(path)])


def storage_files(path: Path) -> list[Path]:
    """Return the storage files of a recording by name, compressed ones too."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if is_storage(file))


def is_storage(path: Path) -> bool:
    """Tell whether a file is named like one that holds messages."""
    name = path.name.removesuffix(".zstd")
    return path.is_file() and not name.startswith(".") and name.endswith(STORAGE_SUFFIXES)


def combined_sha256(hashes: Sequence[str]) -> str:
    """Join the hashes of a recording's files into one."""
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """Hash a file block by block."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
