# SPDX-License-Identifier: Apache-2.0
"""Chunks that are done, on disk: what a run that was stopped need not do again."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from stn_perception.bags.evaluation.chunk import FrameOutcome
from stn_perception.bags.evaluation.predicting import chunk_outcomes
from stn_perception.runtime.whole_file import write_whole_file


class FinishedChunks:
    """A folder of results by the identity of their work.

    Args:
        folder: Where they lie; it is made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str) -> tuple[FrameOutcome, ...] | None:
        """The outcomes of a chunk, or None where they are not there or not whole."""
        try:
            return chunk_outcomes(self._path(key).read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def keep(self, key: str, data: bytes) -> None:
        """Write a result, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole_file(self._path(key), data)

    def clear(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json.gz"


def chunk_key(identity: str, first: int, last: int) -> str:
    """Name of a chunk: frames ``first`` to ``last`` of the camera of a run's identity."""
    return hashlib.sha256(f"{identity} {first} {last}".encode()).hexdigest()[:32]
