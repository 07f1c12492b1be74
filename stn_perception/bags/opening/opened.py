# SPDX-License-Identifier: Apache-2.0
"""Any recording, wherever it lies and however damaged, as one that the reader opens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.cache_folder import cached_entry
from stn_perception.bags.opening.checking import fault_of
from stn_perception.bags.opening.fetching import local_path
from stn_perception.bags.opening.fingerprint import (
    METADATA,
    names_storage,
    recording_sha256,
    storage_files,
)
from stn_perception.bags.opening.losses import Losses
from stn_perception.bags.opening.sound_copy import needs_copy, write_sound_copy
from stn_perception.bags.reader import BagReader, check_is_bag

# Grows when the same bytes would give another copy, so that old ones are not used.
_VERSION = 1
_FINDINGS = "opened.json"


@dataclass(frozen=True)
class OpenedBag:
    """A recording that ``BagReader`` opens and reads to its end.

    Attributes:
        path: Where it lies: the user's own, or a sound copy in the cache.
        name: What the user called it.
        losses: What could not be read, counted by reason; empty where nothing is lost.
        sentences: What was salvaged, left out or changed, one sentence each.
        sha256: Of the bytes of the recording's storage files as the user gave them
            (see ``recording_sha256``).
    """

    path: Path
    name: str
    losses: Mapping[str, int]
    sentences: tuple[str, ...]
    sha256: str


def opened(uri: str, cache: Path) -> OpenedBag:
    """Return a recording in a form that ``BagReader`` opens and reads to its end.

    A sound recording on the local disk is used where it lies. What lies elsewhere is fetched; what
    is damaged, lacks its index or metadata, or is compressed as a whole file is copied, as far as
    it can be read. Both go into the cache, once, and the same bytes give the same copy. The first
    time a recording is opened it is read completely; the findings are kept in the cache until the
    recording changes.

    Args:
        uri: A bag folder, a ``.mcap``, ``.db3`` or ``.bag`` file, or the URL of one
            (``https://``, ``s3://``, ``zip://``, ... whatever fsspec opens).
        cache: Folder for what is fetched and copied; nothing is written anywhere else.

    Raises:
        BagError: It is no recording, cannot be fetched, or nothing of it can be read.
    """
    source = local_path(uri, cache)
    if not source.exists():
        raise BagError(f"there is no bag at {uri}.")
    if source.is_file() and not names_storage(source.name):
        check_is_bag(source)
    files = storage_files(source)
    if not files:
        raise BagError(f"{source} is not a bag: the folder has no .mcap, .db3 or .bag file.")
    key = [
        _VERSION,
        str(source.resolve()),
        [_state(file) for file in [*files, *_metadata(source)]],
    ]
    entry = cached_entry(
        cache, source.name, key, lambda folder: _examine(source, files, folder, cache)
    )
    findings = json.loads((entry / _FINDINGS).read_text(encoding="utf-8"))
    path = entry / findings["copy"] if findings["copy"] else source
    return OpenedBag(
        path, uri, findings["losses"], tuple(findings["sentences"]), findings["sha256"]
    )


def _metadata(source: Path) -> list[Path]:
    file = source / METADATA
    return [file] if file.is_file() else []


def _state(file: Path) -> list[Any]:
    """What changes when a file does."""
    state = file.stat()
    return [file.name, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _examine(source: Path, files: list[Path], folder: Path, cache: Path) -> None:
    """Write what there is to know of a recording, and a copy of it where it needs one."""
    losses = Losses()
    copy: Path | None = None
    fault = needs_copy(source, files) or fault_of(source)
    if fault is not None:
        copy = write_sound_copy(source, files, folder, losses, fault)
    with BagReader(copy or source) as reader:
        sentences = [*losses.sentences, *reader.notes]
    findings = {
        "copy": str(copy.relative_to(folder)) if copy else "",
        "losses": dict(sorted(losses.counts.items())),
        "sentences": sentences,
        "sha256": recording_sha256(files),
    }
    (folder / _FINDINGS).write_text(json.dumps(findings, indent=1), encoding="utf-8")
