# SPDX-License-Identifier: Apache-2.0
"""Make a folder completely before it takes the place of an older one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

_MARK = ".partial-"


class ReplacedFolder:
    """A folder that appears under its name only when it is complete.

    The work happens in a hidden sibling (same file system, so the last step is a rename). Leaving
    the ``with`` block normally puts it in place of whatever is there; leaving it by an exception
    removes it and leaves the old one untouched. A process that was killed leaves a hidden sibling,
    which the next one clears.

    Args:
        path: Where the folder shall be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.work: Path = self.path
        self._holder: Path | None = None

    def __enter__(self) -> ReplacedFolder:
        """Create the hidden folder; ``work`` names it."""
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the folder in place, or remove it after an exception."""
        if kind is None:
            self.finish()
        else:
            self.discard()

    def begin(self) -> Path:
        """Create and return the folder to work in; its own name is that of the final one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._clear_leftovers()
        prefix = f".{self.path.name}{_MARK}{os.getpid()}-"
        self._holder = Path(tempfile.mkdtemp(prefix=prefix, dir=self.path.parent))
        self.work = self._holder / self.path.name
        self.work.mkdir()
        return self.work

    def finish(self) -> None:
        """Put the folder in place of the old one."""
        assert self._holder is not None
        for file in self.work.rglob("*"):
            if file.is_file():
                _flush(file)
        old = self._holder / "old"
        if self.path.exists():
            self.path.rename(old)
        try:
            self.work.rename(self.path)
        except OSError:
            if old.exists():
                old.rename(self.path)
            self.discard()
            raise
        self.discard()

    def discard(self) -> None:
        """Remove what is still in the hidden place."""
        holder, self._holder = self._holder, None
        if holder is not None:
            shutil.rmtree(holder)

    def _clear_leftovers(self) -> None:
        """Remove hidden folders of processes that no longer exist."""
        for path in self.path.parent.glob(f".{self.path.name}{_MARK}*"):
            pid = path.name.split(_MARK)[1].split("-")[0]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                old = path / "old"
                if old.exists() and not self.path.exists():
                    old.rename(self.path)
                shutil.rmtree(path)


def _flush(path: Path) -> None:
    """Bring a file's bytes to the disk, so that a power cut leaves no complete-looking stub."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
