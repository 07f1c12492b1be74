# SPDX-License-Identifier: Apache-2.0
"""A file is written completely or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from stn_perception.runtime.whole_file import write_whole_file


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")
    write_whole_file(target, "größer\n")
    assert target.read_bytes() == "größer\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")

    def full_disk(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_whole_file(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    write_whole_file(pipe, "through")
    reader.join()
    assert heard == [b"through"] and pipe.is_fifo()


@pytest.mark.parametrize("name", ["folder", "missing/result.json"])
def test_an_error_names_the_target(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as refused:
        write_whole_file(tmp_path / name, "new")
    assert refused.value.filename == str(tmp_path / name)
