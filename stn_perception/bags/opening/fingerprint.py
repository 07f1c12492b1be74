# SPDX-License-Identifier: Apache-2.0
"""Which files hold a recording's messages, and one hash for the bytes of them all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from stn_perception.bags.reader import STORAGE_SUFFIXES

METADATA = "metadata.yaml"
# rosbag2's suffix of a file that was compressed as a whole.
COMPRESSED_SUFFIX = ".zstd"
# What sqlite had not yet moved into the database when the recorder ended.
JOURNAL_SUFFIX = "-wal"
_BLOCK = 1 << 20


def recording_sha256(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a recording's storage files, which renaming them does not change.

    One file counts by the hash of its bytes, as ``sha256sum`` prints it. Of several, the
    hexadecimal hashes are sorted, joined by line feeds and hashed again. Metadata beside the
    storage files does not count.

    Args:
        files: The storage files.
    """
    hashes = [_file_sha256(file) for file in files]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def storage_files(path: Path) -> list[Path]:
    """Return the storage files of a recording by name, compressed ones and filled journals too."""
    journal = path.with_name(path.name + JOURNAL_SUFFIX)
    found = sorted(path.iterdir()) if path.is_dir() else [path, journal]
    return [
        file
        for file in found
        if file.is_file() and (file == path or names_storage(file.name)) and not _is_idle(file)
    ]


def _is_idle(file: Path) -> bool:
    """Tell whether a file is a journal with nothing in it."""
    return file.name.endswith(JOURNAL_SUFFIX) and not file.stat().st_size


def names_storage(name: str) -> bool:
    """Tell whether a file is named like one that holds messages."""
    plain = name.removesuffix(COMPRESSED_SUFFIX).removesuffix(JOURNAL_SUFFIX)
    return plain.endswith(STORAGE_SUFFIXES) and not name.startswith(".")


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
